//! English: what a payment method makes a rule wait for, and what past use suggests.

use super::super::{Speech, format::bytes, format::bytes_exact};
use super::rail_name;
use crate::forecast::{Advice, Wait};
use crate::rail::Rail;

pub(in crate::say) fn wait(speech: &Speech<'_>, wait: &Wait) -> String {
    let name = rail_name(wait.rail);
    let mut text = match wait.rail {
        Rail::WechatDeduction => format!(
            "{name} announces each charge and takes it two days later at the earliest, from 07:00 \
             to 22:00 in Beijing: up to {} hours after the balance is low.",
            wait.longest_hours
        ),
        Rail::AlipayCycle => {
            format!("{name} is charged once in {} days at most.", wait.cycle_days)
        }
        Rail::Card | Rail::OnSession => {
            format!("{name} is charged {} at the earliest.", speech.when(wait.charged_at))
        }
    };
    if let Some(safer) = wait.safer_threshold {
        let safer = bytes_exact(safer);
        text.push_str(&format!(" With your use, recharge at {safer} so that it lasts as long."));
    }
    text
}

pub(in crate::say) fn advice(advice: &Advice) -> String {
    let (high, average) = (bytes(advice.high_day), bytes(advice.average_day));
    let (threshold, amount) = (bytes_exact(advice.threshold), bytes_exact(advice.amount));
    format!(
        "You use {average} on an average day and {high} on a busy one. A threshold of {threshold} \
         and {amount} at a time would do: about two weeks."
    )
}
