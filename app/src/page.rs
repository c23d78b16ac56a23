//! The pages: one file each. A page asks, shows and sends; what is allowed, when, and what it
//! costs is core's and the server's to say.

pub(crate) mod not_found;
pub(crate) mod register;
pub(crate) mod sign_in;
pub(crate) mod welcome;
