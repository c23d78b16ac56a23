//! Opens the xtask.

fn main() {}
