//! English. Voice: what happened, whether money moved, what comes next.

mod differences;
mod fields;
mod findings;
mod returns;
mod waits;

use super::format::{bytes_exact, date, day, money, time};
use super::{Speech, names};
use crate::api::Language;
use crate::decide::{Decision, MethodFacts, Reason, Suspension, TriggerDue};
use crate::forecast::Bound;
use crate::money::Money;
use crate::rail::Rail;
use crate::recharge::{Fact, News, Status};
use crate::rule::{Adds, Amount, Rule, Threshold};
use crate::schedule::{Schedule, Unit, Weekday};
use crate::time::Instant;

pub(super) use differences::difference;
pub(super) use fields::field_error;
pub(super) use findings::finding;
pub(super) use returns::{dispute_news, returned};
pub(super) use waits::{advice, unusable, wait};

/// The name of a zone's place: `Madrid`.
fn place(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).replace('_', " ")
}

fn threshold(threshold: Threshold) -> String {
    match threshold {
        Threshold::Data { bytes } if bytes.is_zero() => "no data is left".to_owned(),
        Threshold::Data { bytes } => format!("{} or less is left", bytes_exact(bytes)),
        Threshold::Credit(credit) => format!("{} of credit or less is left", money(credit)),
    }
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn every(count: u32, one: &str, many: &str) -> String {
    if count == 1 { format!("every {one}") } else { format!("every {count} {many}") }
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn schedule(schedule: &Schedule) -> String {
    let when = match &schedule.unit {
        Unit::Day => every(schedule.every, "day", "days"),
        Unit::Week { weekdays } => {
            let days: Vec<String> = weekdays.iter().map(|d| weekday(*d).to_owned()).collect();
            format!("{} on {}", every(schedule.every, "week", "weeks"), list(&days))
        }
        Unit::Month { day } => {
            let months = every(schedule.every, "month", "months");
            let short = if *day > 28 { " or the last day of a shorter month" } else { "" };
            format!("{months} on day {day}{short}")
        }
    };
    let start = date(schedule.start, Language::En);
    format!("{when} at {}, from {start} on", schedule.at)
}

pub(super) fn rule(speech: &Speech<'_>, rule: &Rule, methods: &[MethodFacts]) -> String {
    let mut whens = Vec::new();
    if let Some(low) = rule.triggers.low_balance {
        whens.push(format!("when {}", threshold(low)));
    }
    if let Some(scheduled) = &rule.triggers.scheduled {
        whens.push(schedule(scheduled));
    }
    if let Some(days) = rule.triggers.expiring_days {
        let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
        whens.push(format!("{days} before the data expires"));
    }
    let whens = capitalised(&list(&whens));
    let what = match rule.amount {
        Amount::FixedCredit(credit) => format!("add {} of credit", money(credit)),
        Amount::FixedData { bytes } => format!("add {}", bytes_exact(bytes)),
        Amount::Target { bytes } => format!("top up to {}", bytes_exact(bytes)),
    };
    let mut text = format!("{whens}, {what}.");
    if let Some(step) = rule.step {
        let (step, price, days) = (bytes_exact(step.bytes), money(step.price), step.validity_days);
        text.push_str(&format!(" {step} costs {price} and is valid for {days} days."));
    }
    let limits = &rule.limits;
    let zone = place(&speech.zone.name);
    if let Some(cap) = limits.cap_per_month {
        let cap = money(cap);
        text.push_str(&format!(" Never more than {cap} in a calendar month ({zone} time)."));
    }
    if let Some(most) = limits.max_per_recharge {
        text.push_str(&format!(" At most {} in one recharge.", money(most)));
    }
    if let Some(most) = limits.max_per_day {
        let times = if most == 1 { "once".to_owned() } else { format!("{most} times") };
        text.push_str(&format!(" At most {times} a day."));
    }
    text.push_str(&format!(" At least {} minutes between two.", limits.cool_down_minutes));
    if let Some(first) = limits.starts_on {
        text.push_str(&format!(" Not before {}.", date(first, Language::En)));
    }
    if let Some(last) = limits.ends_on {
        text.push_str(&format!(" Not after {}.", date(last, Language::En)));
    }
    text.push_str(&pays_with(rule, methods));
    if let Some(alert) = rule.alert {
        text.push_str(&format!(" Tell me when {}.", threshold(alert)));
    }
    if let Some(until) = rule.paused_until_on {
        text.push_str(&format!(" Paused until {}.", date(until, Language::En)));
    }
    if let Some(at) = rule.skip_at {
        text.push_str(&format!(" The one of {} is skipped.", speech.when(at)));
    }
    text
}

/// The methods in order; those that are gone are not named.
fn pays_with(rule: &Rule, methods: &[MethodFacts]) -> String {
    match names(&rule.payment_methods, methods).as_slice() {
        [] => String::new(),
        names => format!(" Charged to {}.", names.join("; if that fails, to ")),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

pub(super) fn decision(speech: &Speech<'_>, decision: &Decision) -> String {
    match decision {
        Decision::Recharge { order } => {
            let why = match order.triggers.first() {
                Some(TriggerDue::LowBalance) => " because the balance is low",
                Some(TriggerDue::Scheduled { .. }) => " by its date",
                Some(TriggerDue::Expiring { .. }) => " before the data expires",
                None => "",
            };
            let adds = speech.adds(order.adds);
            format!("{} is charged now for {adds}{why}.", money(order.amount))
        }
        Decision::Wait { reason, .. } => speech.reason(reason),
        Decision::Skip { reason, next_look_at: Some(at) } => {
            format!("{} Next look {}.", speech.reason(reason), speech.when(*at))
        }
        Decision::Skip { reason, next_look_at: None } => speech.reason(reason),
    }
}

pub(super) fn reason(speech: &Speech<'_>, reason: &Reason) -> String {
    match reason {
        Reason::RechargeOpen { unknown: true, .. } => "The charge was sent; no answer yet. We are \
             checking. Please do not pay again."
            .to_owned(),
        Reason::RechargeOpen { since, unknown: false } => {
            format!("A recharge is under way since {}. One at a time.", speech.when(*since))
        }
        Reason::StoppedByOperator => {
            "Automatic charging is stopped by the operator. Nothing is charged.".to_owned()
        }
        Reason::LineClosed => "This line is closed. Nothing is charged.".to_owned(),
        Reason::RuleOff => "Auto-recharge is off. Nothing is charged.".to_owned(),
        Reason::Ended { ended_on } => {
            format!("The rule ended on {}. Nothing is charged.", date(*ended_on, Language::En))
        }
        Reason::NotStarted { starts_on, .. } => {
            format!("The rule starts on {}.", date(*starts_on, Language::En))
        }
        Reason::Paused { until } => {
            format!("Paused. It goes on {}.", speech.when(*until))
        }
        Reason::Suspended { why } => suspension(*why).to_owned(),
        Reason::TermsChanged => "The price changed since you agreed. Nothing is charged until you \
             agree to the new one."
            .to_owned(),
        Reason::NoUsableMethod => {
            "No payment method can be charged. Add one, or put a valid one first.".to_owned()
        }
        Reason::SkippedOnce { at } => {
            format!("Skipped as you asked: the one of {}.", speech.when(*at))
        }
        Reason::NoticeRunning { charge_at, at_most } => {
            let (when, most) = (speech.when(*charge_at), money(*at_most));
            format!("Announced: at most {most} will be charged {when}. You can skip it.")
        }
        Reason::NotDue => "Nothing is charged now; the next look is at your next use.".to_owned(),
        Reason::TargetMet => "There is as much as you want to keep.".to_owned(),
        Reason::MonthlyCapReached { cap, spent, needed, resets_at } => {
            let again = day(speech.zone.date(*resets_at), Language::En);
            let (spent, cap, needed) = (money(*spent), money(*cap), money(*needed));
            format!(
                "Not charged: {spent} of this month's {cap} is used and {needed} was needed. \
                 Starts again {again}."
            )
        }
        Reason::DailyCountReached { resets_at } => format!(
            "Not charged: the day has had as many recharges as you allow. Starts again {}.",
            speech.when(*resets_at)
        ),
        Reason::CoolingDown { until } => {
            format!("The pause after the last recharge ends {}.", speech.when(*until))
        }
        Reason::RailClosed { opens_at } => {
            format!("The payment method is charged from {} on.", speech.when(*opens_at))
        }
    }
}

pub(super) fn suspension(why: Suspension) -> &'static str {
    match why {
        Suspension::Declined => {
            "Waiting for you: every try was declined. Add another payment method, or pay once by \
             hand with this one."
        }
        Suspension::CustomerNeeded => {
            "Waiting for you: the bank wanted you to confirm and nobody did. Pay once by hand to \
             go on."
        }
        Suspension::NotDelivered => {
            "Waiting for you: a recharge could not be delivered and was refunded. Pay once by hand \
             to go on."
        }
        Suspension::Disputed => "Waiting: a dispute about a charge is open.",
    }
}

pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Opened => "Starting",
        Status::Charging => "Charging",
        Status::Declined => "Declined, will try again",
        Status::NeedsCustomer => "Needs you",
        Status::Unknown => "Checking",
        Status::Paid => "Paid, delivering",
        Status::Delivering => "Delivering",
        Status::DeliveryUnknown => "Checking the delivery",
        Status::Refunding => "Refund under way",
        Status::Done => "Done",
        Status::Failed => "Not charged",
        Status::Cancelled => "Cancelled, not charged",
        Status::Refunded => "Refunded",
    }
}

pub(super) fn fact(speech: &Speech<'_>, fact: &Fact) -> String {
    match fact {
        Fact::Submitted { .. } => "Sent to the payment provider".to_owned(),
        Fact::Withdrawn { .. } => "Looked again before sending: no longer needed".to_owned(),
        Fact::Captured { amount, .. } => format!("{} charged", money(*amount)),
        Fact::Declined { hard: false, .. } => "The bank declined. No money moved".to_owned(),
        Fact::Declined { hard: true, .. } => {
            "The bank declined for good. No money moved; this method is not tried again".to_owned()
        }
        Fact::ActionRequired { .. } => "The bank wants you to confirm".to_owned(),
        Fact::Unanswered { .. } => "No answer. We check before anything else".to_owned(),
        Fact::NotFound { .. } => "The provider has not seen it".to_owned(),
        Fact::PaymentCancelled { .. } => "Cancelled at the payment provider".to_owned(),
        Fact::Stopped => "Stopped by you".to_owned(),
        Fact::Delivered { .. } => "Delivered by the carrier".to_owned(),
        Fact::NotDelivered => "The carrier did not deliver".to_owned(),
        Fact::TopUpNotFound => "The carrier has not seen it".to_owned(),
        Fact::DeliveryUnanswered => "No answer from the carrier. We check".to_owned(),
        Fact::Refunded { .. } => "Money given back".to_owned(),
        Fact::RefundUnanswered { .. } => format!("Refund asked for {}", speech.when(speech.now)),
    }
}

pub(super) fn credit(credit: Money) -> String {
    format!("{} of credit", money(credit))
}

pub(super) fn news(speech: &Speech<'_>, news: &News, amount: Money, adds: Adds) -> String {
    let (price, adds) = (money(amount), speech.adds(adds));
    match news {
        News::Recharged => format!("{price} was charged and {adds} is on your line."),
        News::Declined { next_try_at: Some(at) } => {
            format!("The bank declined {price}. No money moved. Next try {}.", speech.when(*at))
        }
        News::Declined { next_try_at: None } => {
            format!("The bank declined {price}. No money moved. It is not tried again.")
        }
        News::CustomerNeeded { url, until } => format!(
            "Your bank wants you to confirm {price} until {}: {url}. No money has moved.",
            speech.when(*until)
        ),
        News::Unknown => format!(
            "{price} was sent to your bank; no answer yet. We are checking. Please do not pay again."
        ),
        News::NotCharged => format!("The recharge of {price} ended. No money moved."),
        News::Refunding => {
            format!("{adds} could not be delivered. {price} is on its way back to you.")
        }
        News::WronglyTaken { amount } => {
            let amount = money(*amount);
            format!("{amount} was taken that should not have been. All of it goes back to you.")
        }
        News::Refunded { amount } => format!("{} was given back.", money(*amount)),
        News::DeliveredAfterAll => {
            format!("{adds} arrived after all. {price} goes back to you as we said.")
        }
    }
}

pub(super) fn bound(bound: &Bound) -> String {
    format!("At most {} a month", money(bound.per_month))
}

pub(super) fn consent(
    speech: &Speech<'_>,
    rule: &Rule,
    methods: &[MethodFacts],
    bound: &Bound,
) -> String {
    format!(
        "I turn on auto-recharge. {} It charges my payment methods in the order I gave, without \
         asking each time. It never takes more than {} in one recharge, {} in a day and {} in a \
         calendar month. I can turn it off at any time; then nothing more is charged.",
        self::rule(speech, rule, methods),
        money(bound.per_recharge),
        money(bound.per_day),
        money(bound.per_month),
    )
}

pub(super) fn alert(speech: &Speech<'_>, left: &str, decision: &Decision) -> String {
    format!("{left} left. {}", speech.decision(decision))
}

pub(super) fn announcement(speech: &Speech<'_>, charge_at: Instant, at_most: Money) -> String {
    let on = date(speech.zone.date(charge_at), Language::En);
    let at = time(charge_at, speech.zone);
    let most = money(at_most);
    format!("At most {most} will be charged on {on} at {at}. You can skip it on the rule page.")
}

/// What people call a rail.
pub(super) fn rail_name(rail: Rail) -> &'static str {
    match rail {
        Rail::Card => "A card",
        Rail::AlipayCycle => "Alipay",
        Rail::WechatDeduction => "WeChat Pay",
        Rail::OnSession => "This payment method",
    }
}

pub(super) fn one_time_code(brand: &str, code: &str) -> String {
    format!("{code} is your {brand} code. It is valid for 5 minutes. Tell it to nobody.")
}

pub(super) fn already_registered(brand: &str) -> String {
    format!(
        "Somebody registered at {brand} with this contact, which has an account already. If it was \
         you, sign in instead. Otherwise nothing needs to be done."
    )
}
