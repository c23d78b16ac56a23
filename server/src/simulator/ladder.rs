//! 10: how often a card is tried, from the provider's own list: at once and 1, 2 and 4 hours after
//! the first decline and then no more, never again after a hard one, ten times a day and fifteen a
//! month at most.

use super::{
    check::{line_of, recharge_of},
    world::World,
};
use crate::sandbox::{
    cards::Decline,
    provider::records::{Instrument, Payment, PaymentStatus},
};
use laika_core::{
    recharge::Recharge,
    time::{Instant, Span},
};
use std::collections::BTreeMap;

/// When a card that is declined may be tried, after its first decline.
const RUNGS: [Span; 4] = [Span(0), Span::hours(1), Span::hours(2), Span::hours(4)];
/// The most declines of one card: in 24 h,
const A_DAY: (usize, Span) = (10, Span::hours(24));
/// and in 30 days.
const A_MONTH: (usize, Span) = (15, Span::days(30));

/// What a card went through on a line since it last paid.
#[derive(Default)]
struct Tried {
    declined_at: Vec<Instant>,
    hard: bool,
}

pub(super) fn holds(world: &World, all: &[Recharge]) -> Result<(), String> {
    let automatic: BTreeMap<&str, bool> =
        all.iter().map(|it| (it.id.as_str(), it.automatic())).collect();
    let (payments, cards) = world.sandbox.look(|state| {
        let payments = state.provider.payments().to_vec();
        // What is counted by the day, and what has the ladder: the card for both, whoever entered
        // it again; the customer at the wallet, and the agreement.
        let card = |payment: &Payment| {
            let method = state.provider.payment_method(&payment.charge.payment_method)?;
            let whose = method.instrument.fingerprint().to_owned();
            match &method.instrument {
                Instrument::Card(_) => Some((whose.clone(), whose)),
                Instrument::Wallet(_) => Some((whose, method.id.clone())),
            }
        };
        let cards: Vec<Option<(String, String)>> = payments.iter().map(card).collect();
        (payments, cards)
    });
    let mut tried: BTreeMap<(usize, &str), Tried> = BTreeMap::new();
    let mut declines: BTreeMap<&str, Vec<Instant>> = BTreeMap::new();
    // Why not all: what the customer confirms each time is tried by the customer alone.
    let of_cards = payments.iter().zip(&cards).filter_map(|(it, card)| Some((it, card.as_ref()?)));
    for (payment, (whose, card)) in of_cards {
        let id = &payment.id;
        let at = Instant::from_micros(payment.created_at);
        let declined = payment.status == PaymentStatus::Declined;
        let all = declines.entry(whose).or_default();
        if declined {
            all.push(at);
        }
        for (most, span) in [A_DAY, A_MONTH] {
            let within = all.iter().filter(|earlier| at.since(**earlier) < span).count();
            if declined && within > most {
                return Err(format!("10. {id}: a card is declined {within} times"));
            }
        }
        let Some(line) = line_of(world, recharge_of(payment)) else { continue };
        let tried = tried.entry((line, card.as_str())).or_default();
        if payment.status == PaymentStatus::Succeeded {
            tried.declined_at.clear();
        }
        if !automatic.get(recharge_of(payment)).copied().unwrap_or(false) {
            continue;
        }
        if tried.hard {
            return Err(format!("10. {id}: tried again after a hard decline"));
        }
        if !declined {
            continue;
        }
        let first = tried.declined_at.first().copied().unwrap_or(at);
        let rung = RUNGS.get(tried.declined_at.len());
        // Why the second: each of the provider's times is one of its own, to the microsecond.
        if rung.is_none_or(|rung| at.plus(Span::seconds(1)).since(first) < *rung) {
            let before = &tried.declined_at;
            return Err(format!("10. {id}: tried at {at}, too often or too soon after {before:?}"));
        }
        tried.declined_at.push(at);
        tried.hard = payment.decline.is_some_and(is_hard);
    }
    Ok(())
}

fn is_hard(decline: Decline) -> bool {
    match decline {
        Decline::LostCard | Decline::StolenCard | Decline::ExpiredCard => true,
        Decline::IncorrectCvc | Decline::TestModeLiveCard => true,
        Decline::GenericDecline | Decline::InsufficientFunds => false,
        Decline::ProcessingError | Decline::AuthenticationFailed => false,
    }
}
