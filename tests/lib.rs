//! What the tests share: Laika's processes, a database server, a customer, a carrier, a browser.
//!
//! Nothing here asserts a rule of Laika; the tests in `all.rs` do. Nothing here is a mock: every
//! process is the real one.

pub mod support;
