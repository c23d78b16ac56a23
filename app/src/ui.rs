//! The components: each draws one thing and knows no page, no rule and no server.
//!
//! They are plain functions that give an [`AnyView`]: one copy of each in the binary.

pub(crate) mod button;
pub(crate) mod chart;
pub(crate) mod choice;
pub(crate) mod dialog;
pub(crate) mod error_summary;
pub(crate) mod field;
pub(crate) mod icon;
pub(crate) mod meter;
pub(crate) mod money_input;
pub(crate) mod page;
pub(crate) mod status;
pub(crate) mod toast;
