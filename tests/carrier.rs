//! The carrier over HTTP: the contract of `docs/carrier.md` against the sandbox's carrier as a
//! process of its own, and the whole server with such a carrier in bad weather. What is paid for is
//! delivered once and credited once, or goes back whole.

mod contract;
mod delivery;
mod without_sandbox;
