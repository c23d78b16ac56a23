//! The tests' tools, from the plainest up: [`folder`] [`random`] [`wait`] [`http`] are means,
//! [`laika`] and [`postgres`] start processes, [`proxy`] stands between two of them, [`usage`]
//! speaks as the carrier's feed, [`carrier`] as the carrier, [`stripe`] as a payment provider and
//! [`customer`] as the app.

pub mod carrier;
pub mod customer;
pub mod folder;
pub mod http;
pub mod laika;
pub mod postgres;
pub mod proxy;
pub mod random;
pub mod stripe;
pub mod usage;
pub mod wait;
