//! English: what a payment method makes a rule wait for, why one cannot be charged, and what past
//! use suggests.

use super::super::{Speech, format::bytes, format::bytes_exact, format::money};
use super::rail_name;
use crate::decide::Unusable;
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

pub(in crate::say) fn unusable(speech: &Speech<'_>, why: Unusable) -> String {
    match why {
        Unusable::OnSessionOnly => {
            "It needs you each time: it cannot be charged automatically.".to_owned()
        }
        Unusable::Expired => "It has expired. Add the new one.".to_owned(),
        Unusable::Barred => "The bank declined it for good, so it is never charged automatically \
             again. Add another one."
            .to_owned(),
        Unusable::TriedOut => "The bank declined it at every try. Pay once by hand with it to use \
             it again."
            .to_owned(),
        Unusable::DeclinedTooOften { until } => {
            let until = speech.when(until);
            format!("It was declined too often. It can be tried again from {until} on.")
        }
        Unusable::AgreementUsedUp => "Its agreement is used up. Renew it to go on.".to_owned(),
    }
}

pub(in crate::say) fn advice(advice: &Advice) -> String {
    let (high, average) = (bytes(advice.high_day), bytes(advice.average_day));
    let (threshold, amount) = (bytes_exact(advice.threshold), bytes_exact(advice.amount));
    let month = money(advice.per_month);
    format!(
        "You use {average} on an average day and {high} on a busy one. Recharging at {threshold}, \
         {amount} at a time, would do: each time lasts about two weeks. A month takes about {month}."
    )
}
