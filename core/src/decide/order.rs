//! How much one recharge is: exactly the agreed size, never a part of it to fit a cap.

use super::Account;
use crate::bytes::Bytes;
use crate::catalogue::Step;
use crate::money::Money;
use crate::rule::{Adds, Amount, Rule};

/// Whether what the customer agreed to can no longer be had at that price or at all.
pub(super) fn terms_changed(rule: &Rule, account: &Account) -> bool {
    match rule.amount {
        Amount::FixedCredit(money) => {
            let (least, most) = (account.terms.credit_min, account.terms.credit_max);
            let sold = least.amount_minor..=most.amount_minor;
            money.currency != account.terms.currency() || !sold.contains(&money.amount_minor)
        }
        Amount::FixedData { .. } | Amount::Target { .. } => match (account.terms.step, rule.step) {
            (Some(step), Some(agreed)) => {
                step.price.currency != agreed.price.currency
                    || step.price.amount_minor > agreed.price.amount_minor
                    || step.bytes != agreed.bytes
                    || step.validity_days < agreed.validity_days
            }
            (None, _) | (_, None) => true,
        },
    }
}

/// What one recharge takes and adds with this effective balance; nothing when none is needed.
pub(super) fn size(rule: &Rule, account: &Account, effective: Bytes) -> Option<(Money, Adds)> {
    size_in(account.terms.step, rule, effective)
}

/// The same, of steps like this one.
pub(super) fn size_in(step: Option<Step>, rule: &Rule, effective: Bytes) -> Option<(Money, Adds)> {
    if let Amount::FixedCredit(money) = rule.amount {
        return Some((money, Adds::Credit(money)));
    }
    let step = step?;
    let wanted = match rule.amount {
        Amount::FixedCredit(_) => return None,
        Amount::FixedData { bytes } => bytes.get().checked_div(step.bytes.get())?,
        Amount::Target { bytes } => bytes.minus(effective).steps_up(step.bytes)?,
    };
    let affordable =
        |most: Money| u64::try_from(most.amount_minor.checked_div(step.price.amount_minor)?).ok();
    let most = rule.limits.max_per_recharge.map_or(Some(u64::MAX), affordable)?;
    let steps = wanted.min(most);
    let adds = Adds::Data {
        bytes: step.bytes.checked_mul(steps)?,
        steps: u32::try_from(steps).ok()?,
        validity_days: step.validity_days,
    };
    let amount = step.price.checked_mul(i64::try_from(steps).ok()?)?;
    (steps > 0).then_some((amount, adds))
}
