//! The use cases, one file each. After `decide` everything is one loop: fact -> apply -> effects ->
//! perform -> fact. No adapter is called inside a transaction.

pub mod add_line;
pub mod add_payment_method;
pub mod advance;
pub mod audit;
pub mod barriers;
pub mod change_zone;
pub mod check_books;
pub mod compare_list;
pub mod evaluate;
pub mod handle_usage;
pub mod hear_disputes;
pub mod ingest;
pub mod inputs;
pub mod kill_switch;
pub mod open;
pub mod perform;
pub mod receipt;
pub mod recharge_now;
pub mod refresh_method;
pub mod remove_payment_method;
pub mod restore;
pub mod returns;
pub mod save_rule;
pub mod submit;
pub mod switch_rule;
mod take_over;
pub mod tell;
pub mod usage_event;
pub mod view;

#[cfg(test)]
mod tests;
