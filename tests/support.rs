//! The tests' tools, from the plainest up: [`folder`] [`random`] [`http`] are means, [`laika`] and
//! [`postgres`] start processes, [`proxy`] stands between two of them, [`usage`] speaks as the carrier.

pub mod customer;
pub mod folder;
pub mod http;
pub mod laika;
pub mod postgres;
pub mod proxy;
pub mod random;
pub mod usage;
pub mod wait;
