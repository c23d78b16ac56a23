//! Agreements with wallets at the sandbox provider: Alipay's cycle deduction and WeChat Pay's
//! entrusted deduction. A debit beyond what was agreed is refused, whoever asks for it.
//!
//! What each wallet does by itself (cycle, hours) is the row of core's table of rails.

use super::records::{
    Agreement, Charge, Instrument, Payment, PaymentMethod, PaymentStatus, SetupStatus, Terms,
};
use super::{Answer, DAY, Ids, Provider, Refusal, SETUP_OPEN, not_found, refused};
use laika_core::{rail::Wallet, time::Instant};

impl Agreement {
    /// Whether it debits this now. *Errors*: 402 with the limit that it would break.
    pub(super) fn allows(&self, charge: &Charge, now: i64) -> Result<(), Refusal> {
        let Terms { currency, most_per_debit_minor, total_minor, debits_most } = &self.terms;
        let left_minor = total_minor - self.debited_minor;
        let cycle = i64::from(self.cycle_days) * DAY;
        let at = Instant::from_micros(now);
        if charge.currency != *currency {
            refused(402, "agreement_currency", "the agreement is in another currency")
        } else if charge.amount_minor > *most_per_debit_minor {
            refused(402, "agreement_per_debit", "more than the agreement allows in one debit")
        } else if charge.amount_minor > left_minor {
            refused(402, "agreement_total", "more than is left of the agreement")
        } else if self.debits >= *debits_most {
            refused(402, "agreement_count", "the agreement has no debit left")
        } else if self.debited_at.is_some_and(|before| now < before + cycle) {
            refused(402, "agreement_cycle", "the last debit was less than a cycle ago")
        } else if self.kind.agreed_rail().opens_at(at) != at {
            refused(402, "agreement_hours", "this wallet does not debit at this hour")
        } else {
            Ok(())
        }
    }
}

impl Provider {
    pub(super) fn offer(&mut self, setup: &str, terms: Terms) -> Result<Answer, Refusal> {
        let Some(setup) = self.setups.get_mut(setup) else { return not_found("setup") };
        let Terms { most_per_debit_minor, total_minor, debits_most, .. } = terms;
        if most_per_debit_minor <= 0 || total_minor < most_per_debit_minor || debits_most == 0 {
            return refused(422, "terms_refused", "an agreement under which nothing is debited");
        }
        setup.terms = Some(terms);
        Ok(Answer::Setup(setup.clone()))
    }

    pub(super) fn agree(
        &mut self,
        setup: &str,
        kind: Wallet,
        fingerprint: String,
        now: i64,
        ids: &mut Ids,
    ) -> Result<Answer, Refusal> {
        let Some(setup) = self.setups.get(setup) else { return not_found("setup") };
        let open = setup.status == SetupStatus::Open && now - setup.created_at < SETUP_OPEN;
        let Some(terms) = setup.terms.clone().filter(|_| open) else {
            return refused(409, "setup_closed", "there is nothing to agree to here");
        };
        let id = setup.id.clone();
        let cycle_days = kind.agreed_rail().facts().cycle_days;
        let (debited_minor, debits, debited_at) = (0, 0, None);
        let wallet =
            Agreement { kind, fingerprint, terms, cycle_days, debited_minor, debits, debited_at };
        self.attach(&id, Instrument::Wallet(wallet), now, ids)
    }

    /// Counts a capture against the agreement that it was debited under, if it was.
    pub(super) fn debited(&mut self, payment: &Payment, now: i64) {
        if payment.status != PaymentStatus::Succeeded {
            return;
        }
        let method = self.methods.get_mut(&payment.charge.payment_method);
        if let Some(PaymentMethod { instrument: Instrument::Wallet(wallet), .. }) = method {
            wallet.debited_minor = wallet.debited_minor.saturating_add(payment.captured_minor);
            wallet.debits = wallet.debits.saturating_add(1);
            wallet.debited_at = Some(now);
        }
    }
}
