//! Laika killed again and again while usage flows and recharges run, and the books looked at after.
//!
//! Reading order: `feeder` sends usage and remembers what was acknowledged, `town` is the
//! customers, the sandbox that lives on and the server that does not, `books` compares all sides,
//! `kill` is the test. A failure names its seed; the same seed asks for the same things in order.
//! `pair` is two servers on one PostgreSQL, `failover` one server on two of them.

mod books;
mod failover;
mod feeder;
mod kill;
mod pair;
mod town;
