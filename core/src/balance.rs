//! What a line has, and how usage draws it. A balance is a pure function of the line's grants and
//! its usage events: events are placed by their own time, then id, whatever order they arrive in.
//! The server keeps the result and goes on from it; a late event makes it [`Balance::replay`].

use crate::bytes::Bytes;
use crate::catalogue::PayAsYouGo;
use crate::id::{BucketId, RechargeId};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// Data that was granted together and expires together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Its name.
    pub id: BucketId,
    /// What was granted.
    pub bytes_total: Bytes,
    /// What usage has left of it. An expired rest counts as nothing but serves late events.
    pub bytes_left: Bytes,
    /// From when on it serves no event; never, when absent.
    pub expires_at: Option<Instant>,
    /// When it was granted.
    pub granted_at: Instant,
    /// The line's version at the grant: an event received earlier never draws on it.
    pub grant_version: i64,
    /// The recharge that brought it; the plan itself when absent.
    pub recharge: Option<RechargeId>,
}

/// Credit that was granted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditGrant {
    /// How much, in minor units of the line's currency.
    pub amount_minor: i64,
    /// The line's version at the grant.
    pub grant_version: i64,
}

/// One record of used data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageEvent {
    /// When the data was used, and, for equal times, the event's id: the place in the order.
    pub place: Place,
    /// How much was used.
    pub bytes: Bytes,
    /// The line's version at receipt.
    pub received_version: i64,
}

/// Where an event stands in the order of placement: time first, then id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// When the data was used.
    pub time: Instant,
    /// Source and id of the event: unique.
    pub id: String,
}

/// A line's balance and how far usage is placed into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// In drawing order: soonest expiry first, ties by the older grant.
    pub buckets: Vec<Bucket>,
    /// In the order of granting.
    pub credit: Vec<CreditGrant>,
    /// Present when the customer lets credit pay once no bucket serves.
    pub pay_as_you_go: Option<PayAsYouGo>,
    /// Bytes that credit has paid for, in all.
    pub credit_bytes: Bytes,
    /// Bytes that nothing paid for: shown, never charged.
    pub overrun_bytes: Bytes,
    /// The last event placed.
    pub placed_through: Option<Place>,
}

impl Balance {
    /// Adds a bucket, whole. It lowers no other and shortens no expiry.
    pub fn grant(&mut self, bucket: Bucket) {
        let key = |b: &Bucket| (b.expires_at.unwrap_or(Instant::MAX), b.granted_at, b.id.clone());
        let new = key(&bucket);
        let at = self.buckets.partition_point(|b| key(b) <= new);
        self.buckets.insert(at, bucket);
    }

    /// Adds credit.
    pub fn grant_credit(&mut self, grant: CreditGrant) {
        self.credit.push(grant);
    }

    /// Whether this event can be placed after everything placed so far.
    pub fn continues_with(&self, place: &Place) -> bool {
        self.placed_through.as_ref().is_none_or(|last| last < place)
    }

    /// Places one event: buckets unexpired at its own time, then credit, the rest is overrun.
    pub fn place(&mut self, event: &UsageEvent) {
        let mut open = event.bytes;
        for bucket in &mut self.buckets {
            let unexpired = bucket.expires_at.is_none_or(|end| event.place.time < end);
            if unexpired && bucket.grant_version < event.received_version {
                let drawn = open.min(bucket.bytes_left);
                bucket.bytes_left = bucket.bytes_left.minus(drawn);
                open = open.minus(drawn);
            }
        }
        let paid = open.min(self.credit_room(event.received_version));
        self.credit_bytes = self.credit_bytes.plus(paid);
        self.overrun_bytes = self.overrun_bytes.plus(open.minus(paid));
        if self.continues_with(&event.place) {
            self.placed_through = Some(event.place.clone());
        }
    }

    /// Starts again from the grants and places all events, which come in the order of placement.
    pub fn replay<'a>(&mut self, events: impl IntoIterator<Item = &'a UsageEvent>) {
        for bucket in &mut self.buckets {
            bucket.bytes_left = bucket.bytes_total;
        }
        self.credit_bytes = Bytes::ZERO;
        self.overrun_bytes = Bytes::ZERO;
        self.placed_through = None;
        for event in events {
            self.place(event);
        }
    }

    /// Bytes that credit granted before this version still pays for.
    fn credit_room(&self, version: i64) -> Bytes {
        let Some(price) = self.pay_as_you_go else { return Bytes::ZERO };
        let granted = self.credit.iter().filter(|g| g.grant_version < version);
        let credit = granted.fold(0_i64, |sum, g| sum.saturating_add(g.amount_minor));
        price.covers(credit).minus(self.credit_bytes)
    }

    /// Data that can be used at this instant.
    pub fn available(&self, now: Instant) -> Bytes {
        self.unexpired(now).map(|b| b.bytes_left).sum()
    }

    /// The buckets that can still be used at this instant, in drawing order.
    pub fn unexpired(&self, now: Instant) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().filter(move |b| b.expires_at.is_none_or(|end| now < end))
    }

    /// Everything left in buckets, expired ones included: what the books hold for the line.
    pub fn bytes_on_books(&self) -> Bytes {
        self.buckets.iter().map(|b| b.bytes_left).sum()
    }

    /// Credit used by pay-as-you-go, in minor units: rounded once, on the total.
    pub fn credit_used_minor(&self) -> i64 {
        self.pay_as_you_go.map_or(0, |price| price.cost_minor(self.credit_bytes))
    }

    /// Credit left, in minor units.
    pub fn credit_left_minor(&self) -> i64 {
        let granted = self.credit.iter().fold(0_i64, |sum, g| sum.saturating_add(g.amount_minor));
        granted.saturating_sub(self.credit_used_minor())
    }

    /// When the last data of this instant expires; nothing when there is none or it never does.
    pub fn latest_expiry(&self, now: Instant) -> Option<Instant> {
        let mut latest = None;
        for bucket in self.unexpired(now).filter(|b| !b.bytes_left.is_zero()) {
            let end = bucket.expires_at?;
            latest = latest.max(Some(end));
        }
        latest
    }

    /// The next instant at which something expires.
    pub fn next_expiry(&self, now: Instant) -> Option<Instant> {
        self.unexpired(now).filter(|b| !b.bytes_left.is_zero()).filter_map(|b| b.expires_at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Instant {
        Instant::from_seconds(hour.saturating_mul(3600))
    }

    fn bucket(name: &str, bytes: u64, expires: Option<i64>, version: i64) -> Bucket {
        let bytes = Bytes::new(bytes).unwrap_or_default();
        Bucket {
            id: serde_json::from_value(name.into()).unwrap_or_else(|_| unreachable!("{name}")),
            bytes_total: bytes,
            bytes_left: bytes,
            expires_at: expires.map(at),
            granted_at: at(version),
            grant_version: version,
            recharge: None,
        }
    }

    fn event(hour: i64, bytes: u64, version: i64) -> UsageEvent {
        UsageEvent {
            place: Place { time: at(hour), id: format!("e{hour}") },
            bytes: Bytes::new(bytes).unwrap_or_default(),
            received_version: version,
        }
    }

    fn lefts(balance: &Balance) -> Vec<u64> {
        balance.buckets.iter().map(|b| b.bytes_left.get()).collect()
    }

    #[test]
    fn soonest_expiry_is_drawn_first_and_nothing_goes_below_zero() {
        let mut balance = Balance::default();
        balance.grant(bucket("late", 10, Some(50), 0));
        balance.grant(bucket("never", 10, None, 0));
        balance.grant(bucket("soon", 10, Some(5), 0));
        balance.place(&event(1, 12, 1));
        assert_eq!(lefts(&balance), [0, 8, 10]);
        balance.place(&event(6, 30, 1));
        assert_eq!((lefts(&balance), balance.overrun_bytes.get()), (vec![0, 0, 0], 12));
    }

    #[test]
    fn an_expired_rest_counts_as_nothing_but_serves_late_events() {
        let mut balance = Balance::default();
        balance.grant(bucket("a", 10, Some(5), 0));
        assert_eq!(balance.available(at(6)), Bytes::ZERO);
        balance.place(&event(4, 3, 9));
        assert_eq!(lefts(&balance), [7]);
    }

    #[test]
    fn overrun_is_never_taken_from_a_later_recharge() {
        let mut balance = Balance::default();
        balance.grant(bucket("plan", 10, None, 0));
        let early = event(1, 15, 1);
        balance.place(&early);
        balance.grant(bucket("bought", 10, None, 2));
        let late = event(0, 4, 3);
        balance.replay([&late, &early]);
        assert_eq!((lefts(&balance), balance.overrun_bytes.get()), (vec![0, 10], 9));
    }

    #[test]
    fn any_order_of_arrival_ends_the_same() {
        let events = [event(1, 15, 1), event(3, 4, 1), event(6, 9, 1), event(7, 40, 1)];
        let start = || {
            let mut balance = Balance {
                pay_as_you_go: Some(PayAsYouGo { per_gb_minor: 100_000_000 }),
                ..Balance::default()
            };
            balance.grant(bucket("a", 10, Some(5), 0));
            balance.grant(bucket("b", 20, Some(9), 0));
            balance.grant_credit(CreditGrant { amount_minor: 1, grant_version: 0 });
            balance
        };
        let mut ordered = start();
        ordered.replay(&events);
        let mut seen: Vec<UsageEvent> = Vec::new();
        let mut arrived = start();
        for index in [2_usize, 0, 3, 1] {
            let event = events.get(index).cloned().unwrap_or_else(|| unreachable!());
            seen.push(event.clone());
            seen.sort_by(|a, b| a.place.cmp(&b.place));
            if arrived.continues_with(&event.place) {
                arrived.place(&event);
            } else {
                arrived.replay(&seen);
            }
        }
        assert_eq!(arrived, ordered);
        assert_eq!(ordered.credit_left_minor(), 0);
    }
}
