//! Laika killed again and again while usage flows and recharges run, and the books looked at after.
//!
//! Reading order: `feeder` sends usage and remembers what was acknowledged, `town` is the
//! customers, the sandbox that lives on and the server that does not, `run` is one run of all that,
//! `books` compares all sides. Then the tests: `kill` at random moments, `points` at every named
//! one, `weather` in a bad network, `webhooks` that go wrong, `disk` and `clock` on a bad machine,
//! `pair` two servers on one PostgreSQL, `failover` one server on two of them. A failure names its
//! seed; the same seed asks for the same things in order.

mod books;
#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod disk;
mod failover;
mod feeder;
mod kill;
mod pair;
mod points;
mod run;
mod town;
mod weather;
mod webhooks;
