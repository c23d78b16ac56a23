//! What the line's own use suggests: a threshold that lasts until a recharge is there, and an
//! amount for about two weeks. A suggestion only: it is tried in the preview like anything typed.

use super::PastUse;
use crate::bytes::Bytes;
use crate::decide::Account;
use crate::draft::{AmountKind, RuleDraft, TypedUnit, typed_gb};
use crate::money::Money;
use crate::order::in_order;
use crate::rule::Rule;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// Fewer days of use say nothing yet.
const LEAST_DAYS: usize = 7;
/// The high day is the one that nine in ten do not exceed,
const HIGH_TENTHS: usize = 9;
/// and use may double.
const MARGIN: u64 = 2;
/// A recharge by card takes so long at worst: to the last rung of the ladder.
const TAKES: Span = Span::hours(4);
/// How long one recharge should last.
const LASTS_DAYS: u64 = 14;
/// What a month is, where it is said what one takes.
const MONTH_DAYS: u64 = 30;
/// A figure is worth changing when it is off by more than a quarter.
const OFF_QUARTERS: u64 = 1;

/// What the last 28 days suggest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// A high day's use.
    pub high_day: Bytes,
    /// An average day's use.
    pub average_day: Bytes,
    /// How long a recharge takes at worst, in hours.
    pub takes_hours: u32,
    /// Recharge when so little is left.
    pub threshold: Bytes,
    /// Keep, or buy, so much.
    pub amount: Bytes,
    /// What 30 average days take at the present price.
    pub per_month: Money,
}

/// Advice from the past use, for a line whose methods are `account`'s; nothing for a new line or
/// one that buys no data. *Source*: rules.md, "Proof and planning".
pub fn advice(past: &PastUse, account: &Account) -> Option<Advice> {
    let step = account.terms.step?;
    let days = past.recent_days();
    if days.len() < LEAST_DAYS {
        return None;
    }
    let average_day = past.recent().daily();
    let days = in_order(days, |day| *day);
    let rank = days.len().saturating_mul(HIGH_TENTHS).div_ceil(10).saturating_sub(1);
    let high_day = *days.get(rank)?;
    if high_day.is_zero() {
        return None;
    }
    let wait = account.payment_methods.iter().find(|m| m.rail.facts().off_session);
    let takes = wait.map_or(Span(0), |m| m.rail.longest_wait()).0.saturating_add(TAKES.0);
    let takes_hours = takes.saturating_add(Span::hours(1).0.saturating_sub(1));
    let takes_hours = u64::try_from(takes_hours.div_euclid(Span::hours(1).0)).ok()?;
    let needed = high_day.get().checked_mul(takes_hours)?.checked_mul(MARGIN)?.div_ceil(24);
    let threshold = tenth_up(needed)?;
    // Why: from empty, a recharge has to end above the threshold.
    let lasts = average_day.get().checked_mul(LASTS_DAYS)?.max(threshold.get().checked_add(1)?);
    let steps = Bytes::new(lasts)?.steps_up(step.bytes)?;
    let month = average_day.checked_mul(MONTH_DAYS)?.steps_up(step.bytes)?;
    Some(Advice {
        high_day,
        average_day,
        takes_hours: u32::try_from(takes_hours).ok()?,
        threshold,
        amount: step.bytes.checked_mul(steps)?,
        per_month: step.price.checked_mul(i64::try_from(month).ok()?)?,
    })
}

/// Rounded up to a tenth of a gigabyte: a figure that a person would type.
fn tenth_up(bytes: u64) -> Option<Bytes> {
    let tenth = Bytes::MB.checked_mul(100)?;
    tenth.checked_mul(bytes.div_ceil(tenth.get()).max(1))
}

impl Advice {
    /// Whether a rule is so far from it that saying so helps.
    pub fn differs_from(&self, rule: &Rule) -> bool {
        use crate::rule::{Amount, Threshold};
        let threshold = match rule.triggers.low_balance {
            Some(Threshold::Data { bytes }) => far(bytes, self.threshold),
            Some(Threshold::Credit(_)) | None => false,
        };
        let amount = match rule.amount {
            Amount::FixedData { bytes } | Amount::Target { bytes } => far(bytes, self.amount),
            Amount::FixedCredit(_) => false,
        };
        threshold || amount
    }

    /// A draft with the advised figures in it, and nothing else changed.
    pub fn fill(&self, draft: &RuleDraft) -> RuleDraft {
        let mut filled = draft.clone();
        if filled.amount_kind == AmountKind::FixedCredit {
            return filled;
        }
        filled.amount = typed_gb(self.amount);
        filled.amount_unit = crate::bytes::DataUnit::GB;
        if filled.low_balance {
            filled.threshold = typed_gb(self.threshold);
            filled.threshold_unit = TypedUnit::Gb;
        }
        filled
    }
}

/// Whether a figure is off the advised one by more than a quarter of it.
fn far(figure: Bytes, advised: Bytes) -> bool {
    let off = figure.get().abs_diff(advised.get());
    off.saturating_mul(4) > advised.get().saturating_mul(OFF_QUARTERS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::MethodFacts;
    use crate::forecast::tests::{account, gb};
    use crate::id::PaymentMethodId;
    use crate::rail::Rail;

    /// So many days, each used evenly over its hours.
    fn days(daily_mb: &[u64]) -> PastUse {
        let hour = |mb: &u64| Bytes::MB.checked_mul(mb / 24).unwrap_or_default();
        PastUse { hours: daily_mb.iter().flat_map(|mb| vec![hour(mb); 24]).collect() }
    }

    #[test]
    fn a_card_needs_a_third_of_a_high_day() {
        // Nine days in ten use 240 MB or less; the last two of twenty use 2.4 GB.
        let mut use_of_days = vec![240; 18];
        use_of_days.extend([2400, 2400]);
        let found = advice(&days(&use_of_days), &account()).unwrap_or_else(|| unreachable!());
        assert_eq!(found.high_day, Bytes::MB.checked_mul(240).unwrap_or_default());
        assert_eq!(found.takes_hours, 4);
        assert_eq!(
            found.threshold,
            Bytes::MB.checked_mul(100).unwrap_or_default(),
            "80, rounded up"
        );
        assert_eq!(found.average_day, Bytes::MB.checked_mul(456).unwrap_or_default());
        assert_eq!(found.amount, gb(7), "6.4 GB in whole steps");
        assert_eq!(found.per_month.amount_minor, 14 * 300, "13.7 GB in whole steps");
    }

    #[test]
    fn a_rail_that_is_told_first_needs_days() {
        let mut account = account();
        let id = PaymentMethodId::new("wallet").unwrap_or_else(|| unreachable!());
        let wallet = MethodFacts { rail: Rail::WechatDeduction, ..MethodFacts::card(id) };
        account.payment_methods = vec![wallet];
        let found = advice(&days(&[240; 28]), &account).unwrap_or_else(|| unreachable!());
        assert_eq!(found.takes_hours, 59, "55 h of notice and night, 4 h of tries");
        assert_eq!(found.threshold, Bytes::MB.checked_mul(1200).unwrap_or_default());
    }

    #[test]
    fn a_new_line_gets_no_advice() {
        assert_eq!(advice(&days(&[240; 6]), &account()), None);
        assert_eq!(advice(&days(&[0; 28]), &account()), None);
        assert!(advice(&days(&[240; 7]), &account()).is_some());
    }
}
