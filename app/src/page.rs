//! The pages: one file each. A page asks, shows and sends; what is allowed, when, and what it
//! costs is core's and the server's to say.

mod buy;
mod findings;
pub(crate) mod guide;
pub(crate) mod history;
pub(crate) mod home;
mod level;
pub(crate) mod me;
pub(crate) mod not_found;
pub(crate) mod outbox;
pub(crate) mod payment;
mod recharge_line;
pub(crate) mod register;
pub(crate) mod rule;
pub(crate) mod sandbox;
pub(crate) mod sign_in;
mod standing;
mod step_up;
pub(crate) mod welcome;
