//! Payment rails: what each way of paying can do by itself, as a table with source and date. The
//! checker at save, `decide`, notices and forecasts all read this table; no rail is an `if`.

use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// The kind of a payment method, as far as charging by itself goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rail {
    /// Credit or debit card with a mandate given under strong authentication.
    Card,
    /// Alipay, deducting under an agreement with a cycle.
    AlipayCycle,
    /// WeChat Pay, deducting after a notice of its own.
    WechatDeduction,
    /// Anything the provider offers only while the customer is present.
    OnSession,
}

/// A wallet that the customer may pay with. What it can do by itself is its rail's: under an
/// agreement with its owner much, without one nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wallet {
    /// Alipay.
    Alipay,
    /// WeChat Pay.
    WechatPay,
}

/// What a rail allows: a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RailFacts {
    /// Whether it charges while the customer is away.
    pub off_session: bool,
    /// The shortest cycle: so many days at least from one debit to the next; 0 for any time.
    pub cycle_days: u32,
    /// The last day of the month on which it debits by a monthly date.
    pub last_day: u32,
    /// The notice that each debit needs, if it needs one.
    pub advance: Option<Advance>,
    /// When in the day it debits; always, when absent.
    pub hours: Option<Hours>,
    /// Where this row comes from, and when it was read there.
    pub source: (&'static str, &'static str),
}

/// The days in which an announced debit may be made. The day of the notice is day 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// The first day on which it debits.
    pub first_day: i64,
    /// The last.
    pub last_day: i64,
}

/// The hours in which a rail debits, by the rail's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// First second of the day, inclusive.
    pub opens_s: i64,
    /// First second of the day after them.
    pub closes_s: i64,
}

/// Both wallets keep Beijing time, all year.
const CLOCK_S: i64 = 8 * 3600;
const DAY_S: i64 = 86_400;

const CARD: RailFacts = RailFacts {
    off_session: true,
    cycle_days: 0,
    last_day: 31,
    advance: None,
    hours: None,
    source: ("card networks' rules for merchant-initiated payments", "2026-11"),
};

const ALIPAY_CYCLE: RailFacts = RailFacts {
    off_session: true,
    cycle_days: 7,
    last_day: 28,
    advance: None,
    hours: None,
    source: ("Alipay open platform, period_rule_params of the cycle deduction product", "2026-11"),
};

const WECHAT_DEDUCTION: RailFacts = RailFacts {
    off_session: true,
    // Why: each debit needs a notice of its own and is made on its third day at the earliest.
    cycle_days: 3,
    last_day: 31,
    advance: Some(Advance { first_day: 3, last_day: 9 }),
    hours: Some(Hours { opens_s: 7 * 3600, closes_s: 22 * 3600 }),
    source: ("WeChat Pay, entrusted deduction: notice before a debit", "2026-11"),
};

const ON_SESSION: RailFacts = RailFacts {
    off_session: false,
    cycle_days: 0,
    last_day: 31,
    advance: None,
    hours: None,
    source: ("the provider: the customer confirms each payment", "2026-11"),
};

impl Rail {
    /// Every rail, in the order of the table.
    pub const ALL: [Rail; 4] =
        [Rail::Card, Rail::AlipayCycle, Rail::WechatDeduction, Rail::OnSession];

    /// The row of the table.
    pub const fn facts(self) -> &'static RailFacts {
        match self {
            Rail::Card => &CARD,
            Rail::AlipayCycle => &ALIPAY_CYCLE,
            Rail::WechatDeduction => &WECHAT_DEDUCTION,
            Rail::OnSession => &ON_SESSION,
        }
    }

    /// The first instant from `at` on at which it debits, by its hours alone.
    pub fn opens_at(self, at: Instant) -> Instant {
        let Some(hours) = self.facts().hours else { return at };
        let second = clock(at).rem_euclid(DAY_S);
        let wait = if second < hours.opens_s {
            hours.opens_s.saturating_sub(second)
        } else if second < hours.closes_s {
            return at;
        } else {
            hours.opens_s.saturating_add(DAY_S).saturating_sub(second)
        };
        Instant::from_seconds(at.seconds().saturating_add(wait))
    }

    /// The first instant from `wanted` on at which it debits what was announced at `told_at`.
    pub fn debits_at(self, told_at: Instant, wanted: Instant) -> Instant {
        let days = |advance: Advance| day(told_at, advance.first_day);
        let first = self.facts().advance.map_or(wanted, days);
        self.opens_at(wanted.max(first))
    }

    /// Until when it debits what was announced at `told_at`; for ever where it needs no notice.
    pub fn lapses_at(self, told_at: Instant) -> Option<Instant> {
        let advance = self.facts().advance?;
        let closes_s = self.facts().hours.map_or(DAY_S, |hours| hours.closes_s);
        Some(day(told_at, advance.last_day).plus(Span::seconds(closes_s)))
    }

    /// The longest that a debit can wait from the moment it is wanted: notice and hours.
    pub fn longest_wait(self) -> Span {
        let facts = self.facts();
        let days = facts.advance.map_or(0, |advance| advance.first_day.saturating_sub(1));
        let night = facts
            .hours
            .map_or(0, |hours| DAY_S.saturating_add(hours.opens_s).saturating_sub(hours.closes_s));
        // Why: told just before midnight, the days are almost whole; told by night, it opens late.
        let opens_s = facts.hours.map_or(0, |hours| hours.opens_s);
        let told = days.saturating_mul(DAY_S).saturating_add(opens_s);
        Span::seconds(if days > 0 { told } else { night })
    }
}

impl Wallet {
    /// All of them.
    pub const ALL: [Wallet; 2] = [Wallet::Alipay, Wallet::WechatPay];

    /// Its rail where there is an agreement; [`Rail::OnSession`] where there is none.
    pub const fn agreed_rail(self) -> Rail {
        match self {
            Wallet::Alipay => Rail::AlipayCycle,
            Wallet::WechatPay => Rail::WechatDeduction,
        }
    }

    /// As its owner writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Wallet::Alipay => "Alipay",
            Wallet::WechatPay => "WeChat Pay",
        }
    }

    /// Its name in JSON, and at the gateways.
    pub const fn code(self) -> &'static str {
        match self {
            Wallet::Alipay => "alipay",
            Wallet::WechatPay => "wechat_pay",
        }
    }

    /// The wallet of a code.
    pub fn of_code(code: &str) -> Option<Wallet> {
        Wallet::ALL.into_iter().find(|wallet| wallet.code() == code)
    }
}

/// Seconds since 1970 on the rails' own clock.
fn clock(at: Instant) -> i64 {
    at.seconds().saturating_add(CLOCK_S)
}

/// The first instant of the `number`th day, when the day of `told_at` is day 1.
fn day(told_at: Instant, number: i64) -> Instant {
    let today = clock(told_at).div_euclid(DAY_S);
    let day = today.saturating_add(number).saturating_sub(1);
    Instant::from_seconds(day.saturating_mul(DAY_S).saturating_sub(CLOCK_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap_or_else(|| unreachable!("{text}"))
    }

    #[test]
    fn wechat_debits_on_days_3_to_9_from_7_to_22_in_beijing() {
        let rail = Rail::WechatDeduction;
        for (told, wanted, debits) in [
            // Noon of the 22nd in Beijing is day 1: the 24th is day 3.
            ("2026-11-22T12:00:00+08:00", "2026-11-22T12:00:00+08:00", "2026-11-24T07:00:00+08:00"),
            ("2026-11-22T00:00:00+08:00", "2026-11-22T00:00:00+08:00", "2026-11-24T07:00:00+08:00"),
            ("2026-11-22T23:59:59+08:00", "2026-11-22T23:59:59+08:00", "2026-11-24T07:00:00+08:00"),
            ("2026-11-22T12:00:00+08:00", "2026-11-26T09:00:00+08:00", "2026-11-26T09:00:00+08:00"),
            ("2026-11-22T12:00:00+08:00", "2026-11-26T21:59:59+08:00", "2026-11-26T21:59:59+08:00"),
            ("2026-11-22T12:00:00+08:00", "2026-11-26T22:00:00+08:00", "2026-11-27T07:00:00+08:00"),
        ] {
            assert_eq!(rail.debits_at(at(told), at(wanted)), at(debits), "{told} {wanted}");
        }
        assert_eq!(
            rail.lapses_at(at("2026-11-22T12:00:00+08:00")),
            Some(at("2026-11-30T22:00:00+08:00"))
        );
    }

    #[test]
    fn a_card_debits_at_once_and_for_ever() {
        let now = at("2026-11-22T23:00:00Z");
        assert_eq!(Rail::Card.debits_at(now, now), now);
        assert_eq!(Rail::Card.lapses_at(now), None);
        assert_eq!(Rail::Card.longest_wait(), Span(0));
    }

    #[test]
    fn no_wait_is_longer_than_the_longest() {
        for rail in Rail::ALL {
            let mut longest = Span(0);
            for minute in 0..3 * 1440 {
                let told = at("2026-11-22T00:00:00Z").plus(Span::minutes(minute));
                longest = longest.max(rail.debits_at(told, told).since(told));
            }
            assert_eq!(longest, rail.longest_wait(), "{rail:?}");
        }
    }
}
