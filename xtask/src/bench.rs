//! `cargo xtask bench`: measures, and says of every figure what it is, its goal, and whether it
//! holds. What is measured lies in `tests/bench`; here it is built, asked in turns, and judged.
//!
//! Only answers can fail a bench: a figure that misses its goal is said, not punished, because
//! machines are noisy. `bench/module` builds, `bench/side` asks, `bench/figure` judges,
//! `bench/parts` takes the app's module apart.

mod core;
mod figure;
mod ingest;
mod module;
mod parts;
mod postgres;
mod scale;
mod side;

use crate::tools::Place;
use crate::{Failure, Result};

/// `cargo xtask bench WHAT`.
pub(crate) fn bench(place: &Place, args: &[String]) -> Result {
    match args.first().map(String::as_str) {
        Some("core") => core::bench(place),
        Some("ingest") => ingest::bench(place),
        Some("postgres") => postgres::bench(place),
        Some("scale") => scale::bench(place, args.get(1).map(String::as_str)),
        Some(other) => Err(Failure::new(format!("there is no bench called `{other}`"))),
        None => {
            Err(Failure::new("cargo xtask bench what? There are: core, ingest, postgres, scale"))
        }
    }
}
