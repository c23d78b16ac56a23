//! What a rule has to wait for on a rail that wants to be told first, keeps hours or has a cycle:
//! said in the preview, with the threshold that would last as long.

use super::{PreviewInputs, advice::advice};
use crate::bytes::Bytes;
use crate::decide::usable_methods;
use crate::id::PaymentMethodId;
use crate::rail::Rail;
use crate::rule::{Rule, Threshold};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// What recharging when low has to wait for with one method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// The method.
    pub payment_method_id: PaymentMethodId,
    /// Its rail.
    pub rail: Rail,
    /// When it could be charged if the balance fell low now.
    pub charged_at: Instant,
    /// The longest from a low balance to the charge, in hours.
    pub longest_hours: u32,
    /// So many days at least lie between two debits; 0 for none.
    pub cycle_days: u32,
    /// A threshold that lasts so long, where the rule's does not.
    pub safer_threshold: Option<Bytes>,
}

/// The waits of a low-balance rule, method by method; none for cards.
pub fn waits(rule: &Rule, inputs: &PreviewInputs) -> Vec<Wait> {
    let Some(low) = rule.triggers.low_balance else { return Vec::new() };
    let (account, now) = (&inputs.account, inputs.as_of);
    let special = |rail: Rail| {
        let facts = rail.facts();
        facts.advance.is_some() || facts.hours.is_some() || facts.cycle_days > 0
    };
    let methods = usable_methods(rule, account, now).filter(|m| special(m.rail));
    methods
        .map(|method| {
            let mut alone = account.clone();
            alone.payment_methods.retain(|m| m.id == method.id);
            let advised = advice(&inputs.past_use, &alone).map(|advice| advice.threshold);
            let safer = |least: &Bytes| matches!(low, Threshold::Data { bytes } if bytes < *least);
            let agreed = method.agreement.map_or(0, |agreement| agreement.cycle_days);
            let hour = crate::time::Span::hours(1).0;
            let longest = method.rail.longest_wait().0.saturating_add(hour).saturating_sub(1);
            Wait {
                payment_method_id: method.id.clone(),
                rail: method.rail,
                charged_at: method.opens_at(method.rail.debits_at(now, now)),
                longest_hours: u32::try_from(longest.div_euclid(hour)).unwrap_or(0),
                cycle_days: method.rail.facts().cycle_days.max(agreed),
                safer_threshold: advised.filter(safer),
            }
        })
        .collect()
}
