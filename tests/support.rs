//! The tests' tools, from the plainest up: [`folder`] [`random`] [`wait`] [`http`] are means,
//! [`contract`] holds what comes against the document of the API,
//! [`laika`] and [`postgres`] start processes, `machine` goes wrong under one of them, [`proxy`]
//! stands between two, [`hooks`] where webhooks go, [`usage`] speaks as the carrier's feed,
//! [`carrier`] as the carrier, [`stripe`] as a payment provider and [`customer`] as the app.

pub mod carrier;
pub mod contract;
pub mod customer;
pub mod folder;
pub mod hooks;
pub mod http;
pub mod laika;
#[cfg(target_os = "linux")]
pub mod machine;
pub mod postgres;
pub mod provider;
pub mod proxy;
pub mod random;
pub mod stripe;
pub mod usage;
pub mod wait;
