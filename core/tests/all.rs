//! The rules seen from outside, natively and in WASM (Node and Chromium): the same cases, the same
//! bytes. `cases` reads tables, `vectors` an independent implementation's schedules, `contacts`
//! what others say of typed text, `oracle` asks a second implementation, `laws`, `invariants` and
//! `precedence` are properties, `model` is every world that one line can come to, `parity` hashes
//! what many worlds come to, `records` are proofs afterwards, `fuzz` takes whatever comes. Without
//! the tests in it, this is a library by which `tests/fuzz` searches for more.

#![cfg_attr(not(test), allow(dead_code, unused_imports, missing_docs))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on fails, as it should"
)]

mod bound;
mod cases;
mod contacts;
pub mod fuzz;
mod invariants;
mod laws;
#[cfg(not(target_arch = "wasm32"))]
mod model;
mod oracle;
mod parity;
mod precedence;
mod reconcile;
mod records;
mod transitions;
mod vectors;
