//! A payment method, as far as deciding goes, and the one answer to "can it be charged by itself
//! now": for `decide`, the checker at save, the payment page and the bar that ends a recharge.

use crate::id::PaymentMethodId;
use crate::money::Money;
use crate::rail::Rail;
use crate::retry::{self, Ladder};
use crate::tagged::read_tagged;
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// A payment method, as far as deciding needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodFacts {
    /// Its id.
    pub id: PaymentMethodId,
    /// What its kind can do.
    pub rail: Rail,
    /// What a person recognises it by, such as `Visa ·· 4242`; the rule's sentence names it so.
    #[serde(default)]
    pub name: String,
    /// From when on it is expired.
    pub expires_at: Option<Instant>,
    /// A hard decline ended its instrument for this rule.
    pub barred: bool,
    /// How far its instrument has come down the ladder on this line.
    #[serde(default)]
    pub ladder: Ladder,
    /// Its declines of the last 30 days, over all lines and amounts.
    #[serde(default)]
    pub declined_at: Vec<Instant>,
    /// What was agreed with its provider, where there is an agreement.
    #[serde(default)]
    pub agreement: Option<Agreement>,
}

/// The limits of an agreement with a wallet, and how far they are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// So many days at least from one debit to the next.
    pub cycle_days: u32,
    /// The most in one debit.
    pub most_per_debit: Money,
    /// What may still be debited in all; no such limit when absent.
    pub total_left: Option<Money>,
    /// How many debits are left; no such limit when absent.
    pub debits_left: Option<u32>,
    /// When it was last debited.
    pub debited_at: Option<Instant>,
}

/// Why a method cannot be charged by itself. Declared in the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Unusable {
    /// Its kind needs the customer each time.
    OnSessionOnly,
    /// It is expired.
    Expired,
    /// A hard decline ended it for this rule.
    Barred,
    /// Declined on every rung of the ladder.
    TriedOut,
    /// Declined as often as is allowed.
    DeclinedTooOften {
        /// When there is room for another try.
        until: Instant,
    },
    /// Its agreement has no debit left.
    AgreementUsedUp,
}

read_tagged! {
    Unusable by code, UnusableFields { until: Instant }
    "on_session_only" => OnSessionOnly,
    "expired" => Expired,
    "barred" => Barred,
    "tried_out" => TriedOut,
    "declined_too_often" => DeclinedTooOften { until },
    "agreement_used_up" => AgreementUsedUp,
}

impl Unusable {
    /// Whether it forbids a purchase by hand too: the customer, who is there, can do the rest.
    pub fn forbids_by_hand(self) -> bool {
        match self {
            Unusable::Expired | Unusable::DeclinedTooOften { .. } => true,
            Unusable::OnSessionOnly
            | Unusable::Barred
            | Unusable::TriedOut
            | Unusable::AgreementUsedUp => false,
        }
    }
}

impl MethodFacts {
    /// A card with nothing against it: what every other method differs from.
    pub fn card(id: PaymentMethodId) -> MethodFacts {
        MethodFacts {
            id,
            rail: Rail::Card,
            name: String::new(),
            expires_at: None,
            barred: false,
            ladder: Ladder::default(),
            declined_at: Vec::new(),
            agreement: None,
        }
    }

    /// Why it cannot be charged by itself, if it cannot.
    pub fn unusable(&self, now: Instant) -> Option<Unusable> {
        if !self.rail.facts().off_session {
            return Some(Unusable::OnSessionOnly);
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return Some(Unusable::Expired);
        }
        if self.barred {
            return Some(Unusable::Barred);
        }
        if self.ladder.is_used_up() {
            return Some(Unusable::TriedOut);
        }
        if let Some(until) = retry::limited_until(&self.declined_at, now) {
            return Some(Unusable::DeclinedTooOften { until });
        }
        let used_up = |agreement: &Agreement| {
            agreement.debits_left == Some(0)
                || agreement.total_left.is_some_and(|left| left.amount_minor <= 0)
        };
        self.agreement.as_ref().is_some_and(used_up).then_some(Unusable::AgreementUsedUp)
    }

    /// Whether its agreement, if it has one, covers a debit of this amount.
    pub fn covers(&self, amount: Money) -> bool {
        let within = |most: Money| {
            most.currency == amount.currency && amount.amount_minor <= most.amount_minor
        };
        self.agreement.as_ref().is_none_or(|agreement| {
            within(agreement.most_per_debit) && agreement.total_left.is_none_or(within)
        })
    }

    /// So many days at least lie between two debits of its agreement.
    pub(super) fn cycle_days(&self) -> u32 {
        let agreed = self.agreement.as_ref().map(|agreement| agreement.cycle_days);
        agreed.map_or(0, |days| days.max(self.rail.facts().cycle_days))
    }

    /// The first instant from `at` on at which its rail and its agreement debit.
    pub fn opens_at(&self, at: Instant) -> Instant {
        let debited_at = self.agreement.as_ref().and_then(|agreement| agreement.debited_at);
        let cycle = Span::days(i64::from(self.cycle_days()));
        let again = debited_at.map(|debited_at| debited_at.plus(cycle));
        self.rail.opens_at(again.map_or(at, |again| again.max(at)))
    }
}
