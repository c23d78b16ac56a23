//! What one recharge can cost at the consented price, and the most that so many of them come to
//! under a cap. It asks `decide` what a gap costs; it holds no price arithmetic of its own.

use crate::bytes::Bytes;
use crate::decide::agreed_recharge;
use crate::rule::{Adds, Amount, Rule, Threshold};

/// What recharges come to: each is any whole number of units, a step of a target or the whole of a
/// fixed amount, from a least to a largest.
pub(super) struct Sizes {
    /// What the largest costs, in minor units.
    largest_minor: i64,
    /// How many of the least a month's cap has room for.
    fitting: i64,
    /// What as many units as it has room for cost, in minor units.
    room_minor: i64,
}

impl Sizes {
    /// Those of a rule; all are zero when it can buy nothing. What is on sale may have become
    /// cheaper: the agreed price counts.
    pub(super) fn of(rule: &Rule) -> Sizes {
        let sized = |left: Bytes| match agreed_recharge(rule, left) {
            Some((cost, Adds::Data { steps, .. })) => (cost.amount_minor, i64::from(steps)),
            Some((cost, Adds::Credit(_))) => (cost.amount_minor, 0),
            None => (0, 0),
        };
        let (cost, steps) = sized(Bytes::ZERO);
        let (least, largest) = match (rule.amount, &rule.triggers) {
            (Amount::FixedCredit(_) | Amount::FixedData { .. }, _) => (1, 1),
            (Amount::Target { .. }, triggers) => {
                // Why: a threshold in data says how much is left at most; a date says nothing.
                let by_date = triggers.scheduled.is_some() || triggers.expiring_days.is_some();
                let at_threshold = match triggers.low_balance.filter(|_| !by_date) {
                    Some(Threshold::Data { bytes }) => sized(bytes).1,
                    Some(Threshold::Credit(_)) | None => 1,
                };
                (at_threshold.max(1), steps)
            }
        };
        let unit_minor = cost.max(0).checked_div(largest).unwrap_or(0);
        let cap = rule.limits.cap_per_month.map_or(i64::MAX, |cap| cap.amount_minor.max(0));
        // Why: nothing fits under a cap where nothing can be bought.
        let room = cap.checked_div(unit_minor).unwrap_or(0);
        Sizes {
            largest_minor: unit_minor.saturating_mul(largest),
            fitting: room.checked_div(least).unwrap_or(0),
            room_minor: room.saturating_mul(unit_minor),
        }
    }

    /// The most that so many recharges of one month come to, in minor units.
    ///
    /// Why: n recharges come to any number of units between n times the least and n times the
    /// largest, so the most that fit under the cap reach furthest.
    pub(super) fn most(&self, count: i64) -> i64 {
        self.uncapped(count.min(self.fitting)).min(self.room_minor)
    }

    /// The most that so many recharges come to, their months' caps aside.
    pub(super) fn uncapped(&self, count: i64) -> i64 {
        self.largest_minor.saturating_mul(count)
    }
}
