//! The search: libFuzzer in front of one of `core/tests/fuzz.rs`'s targets, the one that
//! `LAIKA_FUZZ_TARGET` names. `cargo xtask fuzz` builds and runs it.

#![no_main]

use laika_rules_tests::fuzz::{TARGETS, Target};
use std::sync::LazyLock;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let wanted = std::env::var("LAIKA_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.into_iter().find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("LAIKA_FUZZ_TARGET must be one of the targets, not {wanted:?}"))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET.1(bytes));
