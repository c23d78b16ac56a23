//! Sharing a line's data: whose use is whose, and who is stopped until when. A limit stops the data
//! to come; it refuses no record of data that was used, which draws on the line like any other. So
//! nothing here is asked by [`balance`](crate::balance), and nothing here draws.

use crate::bytes::Bytes;
use crate::decide::{Account, Period};
use crate::id::MemberId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// A person or a device that the line's owner lets use its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name in usage events.
    pub id: MemberId,
    /// The most data in a calendar month of the account's zone; as much as there is, when absent.
    pub limit: Option<Bytes>,
}

/// Data that was used, as far as sharing goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Whom the event names.
    pub member: Option<MemberId>,
    /// When the data was used.
    pub time: Instant,
    /// How much.
    pub bytes: Bytes,
}

/// Whether more data may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// So much more; as much as there is, when absent.
    Open(Option<Bytes>),
    /// Nothing more before this.
    StoppedUntil(Instant),
}

/// What one of them has used this month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The member; the owner, when absent.
    pub member: Option<MemberId>,
    /// Used in the running month.
    pub used: Bytes,
    /// Whether more may be used.
    pub access: Access,
}

/// The owner's share and each member's, in the order of `members`. What names nobody, or somebody
/// who is no member, is the owner's. A late event counts in the month in which the data was used.
pub fn shares(members: &[Member], uses: &[Use], account: &Account, now: Instant) -> Vec<Share> {
    let month = Period::month(account, now);
    let whose = |used: &Use| members.iter().find(|member| Some(&member.id) == used.member.as_ref());
    let share = |member: Option<&Member>| {
        let of_month = uses.iter().filter(|used| month.holds(used.time) && whose(used) == member);
        let used: Bytes = of_month.map(|used| used.bytes).sum();
        let limit = member.and_then(|member| member.limit);
        // Why inclusive: at exactly the limit nothing is left of it.
        let access = match limit {
            Some(limit) if limit <= used => Access::StoppedUntil(month.until),
            limit => Access::Open(limit.map(|limit| limit.minus(used))),
        };
        Share { member: member.map(|member| member.id.clone()), used, access }
    };
    std::iter::once(None).chain(members.iter().map(Some)).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::tests::{account, gb};

    fn id(name: &str) -> MemberId {
        MemberId::new(name).unwrap_or_else(|| unreachable!("{name}"))
    }

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap_or(Instant::MIN)
    }

    fn used(member: Option<&str>, time: &str, gigabytes: u64) -> Use {
        Use { member: member.map(id), time: at(time), bytes: gb(gigabytes) }
    }

    #[test]
    fn a_limit_stops_the_data_to_come_until_the_month_is_over_and_refuses_nothing() {
        let now = at("2026-11-22T10:00:00Z");
        let members =
            [Member { id: id("mei"), limit: Some(gb(3)) }, Member { id: id("car"), limit: None }];
        let mut uses = vec![
            used(None, "2026-11-02T10:00:00Z", 1),
            used(Some("who-left"), "2026-11-03T10:00:00Z", 4),
            used(Some("car"), "2026-11-04T10:00:00Z", 9),
            used(Some("mei"), "2026-11-05T10:00:00Z", 2),
            // The last of October, which came late.
            used(Some("mei"), "2026-10-31T10:00:00Z", 5),
        ];
        let look = |uses: &[Use]| {
            let shares = shares(&members, uses, &account(), now);
            let named: Vec<_> = shares.iter().map(|s| s.member.clone()).collect();
            assert_eq!(named, [None, Some(id("mei")), Some(id("car"))]);
            shares.iter().map(|s| (s.used, s.access)).collect::<Vec<_>>()
        };
        let owner = (gb(5), Access::Open(None));
        let car = (gb(9), Access::Open(None));
        assert_eq!(look(&uses), [owner, (gb(2), Access::Open(Some(gb(1)))), car]);
        let month_ends = Period::month(&account(), now).until;
        uses.push(used(Some("mei"), "2026-11-21T10:00:00Z", 1));
        assert_eq!(look(&uses), [owner, (gb(3), Access::StoppedUntil(month_ends)), car]);
        uses.push(used(Some("mei"), "2026-11-22T09:00:00Z", 7));
        assert_eq!(look(&uses), [owner, (gb(10), Access::StoppedUntil(month_ends)), car]);
        let later = shares(&members, &uses, &account(), month_ends);
        assert_eq!(
            later.get(1).map(|s| (s.used, s.access)),
            Some((gb(0), Access::Open(Some(gb(3)))))
        );
    }
}
