//! The contract that other programs attach to: command line, usage feeds, exit codes, JSON shapes.

mod api;
mod audit;
mod backup;
mod cards;
mod command_line;
mod disputes;
mod flags;
mod ingest;
mod ingest_http;
mod kill_switch;
mod metrics;
mod operating;
mod postgres_tls;
mod receipts;
mod reconcile;
mod rule;
mod rules;
mod world;
