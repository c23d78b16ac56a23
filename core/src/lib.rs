//! The rules of recharging: one crate, compiled into the browser's app and into the server.
//!
//! Reading order: [`number`] [`order`] [`money`] [`bytes`] [`id`] [`time`] [`zone`] are the
//! quantities; [`field`], [`contact`] and [`label`] say what is wrong with something typed;
//! [`catalogue`] and [`balance`] are what a line has and how usage draws it, [`sharing`] whose use
//! that is; [`rail`] is what each way of paying can do; [`draft`] turns typing into a [`rule`];
//! [`decide`](mod@decide) is the heart; [`recharge`] carries a decision out, fact by fact, by the
//! [`retry`] ladder and with [`ledger`] postings, and [`returns`] is what goes back later;
//! [`forecast`] previews; [`record`] proves; [`reconcile`](mod@reconcile) holds it against what the
//! gateway and the carrier say; [`say`] puts it all into words; [`api`] is the JSON that app
//! and server exchange, and [`json`] writes it and reads it quickly.
//!
//! What is absent is the architecture: no clock, network, database, random source, async or float.
//! `now` is always an argument. Business "no" is a value. Same inputs give the same bytes, natively
//! and in WASM.

#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")
)]

pub mod api;
pub mod balance;
pub mod bytes;
pub mod catalogue;
pub mod contact;
pub mod decide;
pub mod draft;
pub mod field;
pub mod forecast;
pub mod id;
pub mod json;
pub mod label;
pub mod ledger;
pub mod money;
pub mod number;
pub mod order;
pub mod rail;
pub mod recharge;
pub mod reconcile;
pub mod record;
pub mod retry;
pub mod returns;
pub mod rule;
pub mod say;
pub mod schedule;
pub mod sharing;
mod tagged;
mod text;
pub mod time;
pub mod zone;

/// The version of these rules: part of every decision record and of every preview's hash.
///
/// It changes whenever any decision, preview or sentence could come out differently.
pub const ENGINE_VERSION: &str = "2";
