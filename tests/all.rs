//! Every test that looks at Laika from outside, in one binary: the program is started, spoken to,
//! killed and read, never linked.

mod browser;
mod carrier;
mod chaos;
mod deploy;
mod http;
mod sql;
mod stripe;
mod tidy;
