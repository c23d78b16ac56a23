//! Differences of a reconciliation, in English: what happened, and what follows.

use super::super::Speech;
use super::super::format::{bytes_exact, money};
use super::{credit, list};
use crate::money::Money;
use crate::reconcile::{Difference, Given, Kind, Remedy};

pub(in crate::say) fn difference(speech: &Speech<'_>, difference: &Difference) -> String {
    let what = what(speech, difference);
    let next = match &difference.remedy {
        Remedy::Refund { amount, .. } => {
            format!("{} is given back; nothing needs to be done.", money(*amount))
        }
        Remedy::NeverCharged => "Nothing is charged for it later.".to_owned(),
        Remedy::Case => "A case is open. No money moves until a person has looked.".to_owned(),
    };
    format!("{what} {next}")
}

fn what(speech: &Speech<'_>, difference: &Difference) -> String {
    let charged = charged(&difference.charged);
    let came = came(&difference.credited);
    let agreed = difference.expected.map_or_else(|| "nothing".to_owned(), money);
    match difference.kind {
        Kind::MissingCredit if difference.charged.is_empty() => {
            "A recharge is on record that neither the payment provider nor the carrier has.".into()
        }
        Kind::MissingCredit => {
            format!("{charged} was charged, and the carrier shows no delivery for it.")
        }
        Kind::MissingCharge => missing_charge(difference, &came, &agreed, &charged),
        Kind::Amount if difference.top_up.is_some() => {
            format!("{came} was delivered for {charged}, which is not what was ordered.")
        }
        Kind::Amount => format!("{charged} was charged where {agreed} was agreed."),
        Kind::Currency => {
            format!("{charged} was charged in another currency than agreed ({agreed}).")
        }
        Kind::Duplicate => {
            format!("One recharge was charged more than once: {charged}, where {agreed} is right.")
        }
        Kind::AfterOff { stopped_at, submitted_at } => format!(
            "{charged} was charged by a request of {}, although charging was stopped at {}.",
            speech.when(submitted_at),
            speech.when(stopped_at)
        ),
        Kind::OverCap { cap, taken } => {
            let (cap, taken) = (money(cap), money(taken));
            format!(
                "{charged} was charged above the monthly cap: {taken} in all, where {cap} was agreed."
            )
        }
        Kind::Unknown => format!("{charged} was charged, and nothing on record explains it."),
        Kind::Contradictory => {
            "The same thing is told in two ways, so none of its figures is relied on.".to_owned()
        }
    }
}

fn missing_charge(difference: &Difference, came: &str, agreed: &str, charged: &str) -> String {
    if difference.charged.iter().any(|kept| kept.amount_minor < 0) {
        return format!("More was given back than was charged: {charged} is left of it.");
    }
    let free = difference.expected.is_none_or(|expected| expected.amount_minor == 0);
    match (difference.top_up.is_some(), difference.credited.is_empty(), free) {
        (true, _, true) => format!("{came} was delivered, and no charge explains it."),
        (true, _, false) => {
            format!("More was delivered than was ordered: {came}, and {charged} is kept for it.")
        }
        (false, true, _) => {
            format!("{agreed} is on record as charged, and the payment provider keeps {charged}.")
        }
        (false, false, true) => format!("{came} was delivered, and no money is kept for it."),
        (false, false, false) => {
            format!("{came} was delivered for {agreed}, and {charged} is kept for it.")
        }
    }
}

fn charged(charged: &[Money]) -> String {
    let amounts: Vec<String> = charged.iter().copied().map(money).collect();
    if amounts.is_empty() { "nothing".to_owned() } else { list(&amounts) }
}

fn came(credited: &[Given]) -> String {
    let mut parts = Vec::new();
    for given in credited {
        parts.extend((!given.bytes.is_zero()).then(|| bytes_exact(given.bytes)));
        parts.extend(given.credit.filter(|it| it.amount_minor != 0).map(credit));
    }
    list(&parts)
}
