//! English: what was looked at for a decision, one line each, in the past: it reads as a list.

use super::super::{Speech, format::money, left};
use crate::decide::{Check, Finding};

pub(in crate::say) fn finding(speech: &Speech<'_>, finding: &Finding, names: &[String]) -> String {
    let either = |yes: &str, no: &str| if finding.passed { yes.to_owned() } else { no.to_owned() };
    match &finding.check {
        Check::OneAtATime => {
            either("No other recharge was on its way.", "Another recharge was on its way.")
        }
        Check::NotStopped => either("Charging was not stopped.", "Charging was stopped."),
        Check::On => either("The rule was on.", "The rule was off."),
        Check::InTime { .. } => {
            either("It was one of the rule's days.", "It was not one of the rule's days.")
        }
        Check::NotWaiting => either("It was not waiting for you.", "It was waiting for you."),
        Check::Terms { present: Some(step), .. } if finding.passed => {
            let (bytes, price) = (super::bytes_exact(step.bytes), money(step.price));
            format!("The price was as agreed or lower: {bytes} for {price}.")
        }
        Check::Terms { .. } => either("The terms were as agreed.", "The terms were not as agreed."),
        Check::Methods { .. } if names.is_empty() => {
            either("A payment method could be charged.", "No payment method could be charged.")
        }
        Check::Methods { .. } => format!("To be charged: {}.", names.join(", then ")),
        Check::LowBalance { left: has, threshold } => {
            format!("{} left; the threshold is {}.", left(*has), left(*threshold))
        }
        Check::Scheduled { at: Some(at) } => format!("Its date had come: {}.", speech.when(*at)),
        Check::Scheduled { at: None } => "No date had come.".to_owned(),
        Check::Expiring { expires_at: Some(at) } => {
            format!("The data was to expire {}.", speech.when(*at))
        }
        Check::Expiring { expires_at: None } => "No data was about to expire.".to_owned(),
        Check::Size { amount: Some(amount), adds: Some(adds), .. } => {
            format!("What was missing: {} for {}.", speech.adds(*adds), money(*amount))
        }
        Check::Size { .. } => "Nothing was missing.".to_owned(),
        Check::MonthCap { cap, spent, needed } => format!(
            "{} spent that month and {} needed; the cap is {}.",
            money(*spent),
            money(*needed),
            money(*cap)
        ),
        Check::DayCount { most, count } => {
            format!("Recharges that day before it: {count}; at most {most}.")
        }
        Check::CoolDown { minutes, last_opened_at: Some(at) } => {
            format!("The last one was {}; {minutes} minutes have to pass.", speech.when(*at))
        }
        Check::CoolDown { last_opened_at: None, .. } => "There was none before.".to_owned(),
        Check::RailOpen => {
            either("It could be charged at that hour.", "It is not charged at that hour.")
        }
    }
}
