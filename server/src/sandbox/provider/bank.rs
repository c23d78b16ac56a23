//! The bank behind the sandbox provider: what it says to a charge, from the test card's behaviour
//! or from what a script asks for. It keeps nothing.

use super::records::{Instrument, NextCharge, Payment, PaymentStatus, Transport};
use crate::sandbox::cards::{Behaviour, Decline};
use jiff::{Timestamp, tz::TimeZone};

/// What the bank says to a charge.
pub(super) enum Verdict {
    Capture { extra_minor: i64 },
    Decline(Decline),
    AskCustomer,
}

/// The bank's answer to a charge, and how the provider's travels. Without an instrument nothing is
/// taken before the customer says so.
pub(super) fn verdict(
    instrument: Option<&Instrument>,
    script: Option<NextCharge>,
    now: i64,
) -> (Verdict, Transport) {
    use NextCharge as Next;
    let taken = match instrument {
        Some(_) => Verdict::Capture { extra_minor: 0 },
        None => Verdict::AskCustomer,
    };
    let verdict = match script {
        Some(Next::AnswerLostAfter) => return (taken, Transport::Lost),
        Some(Next::Slow) => return (taken, Transport::Slow),
        Some(Next::ErrorAfter) => return (taken, Transport::ServerError),
        Some(Next::WrongAmount) if instrument.is_some() => Verdict::Capture { extra_minor: 1 },
        Some(Next::WrongAmount) => taken,
        Some(Next::Succeeded | Next::AnswerLostBefore) => taken,
        Some(Next::GenericDecline) => Verdict::Decline(Decline::GenericDecline),
        Some(Next::InsufficientFunds) => Verdict::Decline(Decline::InsufficientFunds),
        Some(Next::LostCard) => Verdict::Decline(Decline::LostCard),
        Some(Next::StolenCard) => Verdict::Decline(Decline::StolenCard),
        Some(Next::ExpiredCard) => Verdict::Decline(Decline::ExpiredCard),
        Some(Next::RequiresAction) => Verdict::AskCustomer,
        None => match instrument {
            None | Some(Instrument::Wallet(_)) => taken,
            Some(Instrument::Card(card)) if (card.exp_year, card.exp_month) < month_of(now) => {
                Verdict::Decline(Decline::ExpiredCard)
            }
            Some(Instrument::Card(card)) => match card.behaviour {
                Behaviour::Works | Behaviour::AuthenticatesAtEntry => taken,
                Behaviour::AuthenticatesAlways => Verdict::AskCustomer,
                Behaviour::DeclinedAtEntry(decline)
                | Behaviour::DeclinedLater(decline)
                | Behaviour::AuthenticatesThenDeclined(decline) => Verdict::Decline(decline),
            },
        },
    };
    (verdict, Transport::Normal)
}

/// Money moves.
pub(super) fn capture(payment: &mut Payment, extra_minor: i64, now: i64) {
    payment.status = PaymentStatus::Succeeded;
    payment.captured_minor = payment.charge.amount_minor.saturating_add(extra_minor);
    payment.captured_at = Some(now);
}

/// The year and month (UTC) of an instant in microseconds.
pub fn month_of(now: i64) -> (i32, u32) {
    let at = Timestamp::from_microsecond(now).unwrap_or_default().to_zoned(TimeZone::UTC);
    (at.year().into(), at.month().unsigned_abs().into())
}
