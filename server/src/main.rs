//! Opens the server.

fn main() {}
