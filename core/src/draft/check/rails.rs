//! What the chosen methods' rails and agreements can do of a rule: what they cannot is refused at
//! save, with the reason, instead of failing on the day.

use super::Errors;
use crate::decide::{Account, MethodFacts, largest_recharge};
use crate::field::{Field, FieldCode};
use crate::money::Money;
use crate::rule::Rule;
use crate::schedule::Unit;

/// Adds what a method cannot do to the field that asks for it.
pub(super) fn check(rule: &Rule, account: &Account, errors: &mut Errors) {
    let cost = largest_recharge(rule, account).map(|(cost, _)| cost);
    for id in &rule.payment_methods {
        let Some(method) = account.payment_methods.iter().find(|m| m.id == *id) else { continue };
        if !method.rail.facts().off_session {
            errors.add(Field::PaymentMethods, FieldCode::NotAutomatic { rail: method.rail });
        }
        dates(rule, method, errors);
        if let Some(cost) = cost {
            amount(method, cost, errors);
        }
    }
}

/// The dates of the schedule that a rail does not debit on, or not so often.
fn dates(rule: &Rule, method: &MethodFacts, errors: &mut Errors) {
    let Some(schedule) = &rule.triggers.scheduled else { return };
    let (rail, facts) = (method.rail, method.rail.facts());
    match schedule.unit {
        Unit::Month { day } if day > facts.last_day => {
            errors.add(Field::Day, FieldCode::NotOnThatDay { rail, last_day: facts.last_day });
        }
        Unit::Day | Unit::Week { .. } | Unit::Month { .. } => {}
    }
    let agreed = method.agreement.map_or(0, |agreement| agreement.cycle_days);
    let days = facts.cycle_days.max(agreed);
    if schedule.shortest_gap_days() < days {
        errors.add(Field::Every, FieldCode::NotSoOften { rail, days });
    }
}

/// What one recharge costs at most against what the agreement lets be debited.
fn amount(method: &MethodFacts, cost: Money, errors: &mut Errors) {
    let Some(agreement) = method.agreement else { return };
    if agreement.debits_left == Some(0) {
        errors.add(Field::PaymentMethods, FieldCode::AgreementUsedUp { rail: method.rail });
        return;
    }
    if !method.covers(cost) {
        let most = agreement.total_left.map_or(agreement.most_per_debit, |left| {
            let least = left.amount_minor.min(agreement.most_per_debit.amount_minor);
            Money::new(least.max(0), agreement.most_per_debit.currency)
        });
        errors.add(Field::PaymentMethods, FieldCode::AboveAgreement { rail: method.rail, most });
    }
}
