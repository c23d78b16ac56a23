//! What a payment method's rail can do without the customer present: a data table with source and
//! date per figure, so that no other file asks which rail it is.

use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// The kind of a payment method, as far as charging by itself goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rail {
    /// Credit or debit card with a mandate given under strong authentication.
    Card,
    /// Anything the provider offers only while the customer is present.
    OnSession,
}

/// What a rail allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RailFacts {
    /// Whether it charges while the customer is away.
    pub off_session: bool,
    /// How long before a charge the customer must have been told, if longer than our own lead.
    pub notice_lead: Span,
    /// When in the day it debits, as minutes of the day at a fixed offset; always, when absent.
    pub window: Option<Window>,
}

/// The hours in which a rail debits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First minute of the day, inclusive.
    pub opens_minute: i64,
    /// First minute of the day after the window.
    pub closes_minute: i64,
    /// The window's own clock, in seconds east of UTC.
    pub offset_s: i64,
}

impl Rail {
    /// The row of the table.
    pub fn facts(self) -> RailFacts {
        match self {
            // Source: card networks' rules for merchant-initiated payments, read 2026-11: after a
            // mandate with strong authentication no notice and no hour is prescribed.
            Rail::Card => {
                RailFacts { off_session: true, notice_lead: Span::seconds(0), window: None }
            }
            Rail::OnSession => {
                RailFacts { off_session: false, notice_lead: Span::seconds(0), window: None }
            }
        }
    }
}

impl Window {
    /// The first instant from `now` on at which the rail debits.
    pub fn opens_at(self, now: Instant) -> Instant {
        const DAY_S: i64 = 86_400;
        let local = now.seconds().saturating_add(self.offset_s);
        let second_of_day = local.rem_euclid(DAY_S);
        let opens = self.opens_minute.saturating_mul(60);
        let closes = self.closes_minute.saturating_mul(60);
        let wait = if second_of_day < opens {
            opens.saturating_sub(second_of_day)
        } else if second_of_day < closes {
            return now;
        } else {
            opens.saturating_add(DAY_S).saturating_sub(second_of_day)
        };
        Instant::from_seconds(now.seconds().saturating_add(wait))
    }
}
