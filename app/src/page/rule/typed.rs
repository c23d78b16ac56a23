//! What stands in the editor, field by field, as typed; and what core makes of it at this moment:
//! every field's error, or the rule with its preview and hash. It judges nothing itself.

use crate::load::Loaded;
use crate::text::Text as Words;
use laika_core::bytes::DataUnit;
use laika_core::draft::{AmountKind, RuleDraft, TypedPeriod, TypedUnit, validate};
use laika_core::field::{Field, FieldError};
use laika_core::forecast::{Preview, PreviewInputs, preview};
use laika_core::id::PaymentMethodId;
use laika_core::schedule::Weekday;
use leptos::prelude::*;
use std::sync::Arc;

type Text = RwSignal<String>;
type Flag = RwSignal<bool>;

/// The editor's state: it mirrors `RuleDraft` field by field.
#[derive(Clone, Copy)]
pub(super) struct Typed {
    pub(super) low_balance: Flag,
    pub(super) threshold: Text,
    pub(super) threshold_unit: Text,
    pub(super) scheduled: Flag,
    pub(super) every: Text,
    pub(super) unit: Text,
    pub(super) weekdays: RwSignal<Vec<Weekday>>,
    pub(super) day: Text,
    pub(super) at: Text,
    pub(super) start: Text,
    pub(super) expiring: Flag,
    pub(super) expiring_days: Text,
    pub(super) amount_kind: Text,
    pub(super) amount: Text,
    pub(super) amount_unit: Text,
    pub(super) cap_per_month: Text,
    pub(super) max_per_recharge: Text,
    pub(super) max_per_day: Text,
    pub(super) cool_down: Text,
    pub(super) starts_on: Text,
    pub(super) ends_on: Text,
    pub(super) payment_methods: RwSignal<Vec<PaymentMethodId>>,
    pub(super) alert: Flag,
    pub(super) alert_threshold: Text,
    pub(super) alert_unit: Text,
}

/// The choices' values in the page; the same words as in JSON.
pub(super) const UNITS: [(&str, TypedUnit); 3] =
    [("gb", TypedUnit::Gb), ("mb", TypedUnit::Mb), ("money", TypedUnit::Money)];
pub(super) const DATA_UNITS: [(&str, DataUnit); 2] = [("gb", DataUnit::GB), ("mb", DataUnit::MB)];
pub(super) const PERIODS: [(&str, TypedPeriod); 3] =
    [("day", TypedPeriod::Day), ("week", TypedPeriod::Week), ("month", TypedPeriod::Month)];
pub(super) const KINDS: [(&str, AmountKind); 3] = [
    ("target", AmountKind::Target),
    ("fixed_data", AmountKind::FixedData),
    ("fixed_credit", AmountKind::FixedCredit),
];

/// The page's word for a choice.
fn word<T: Copy + PartialEq>(table: &[(&'static str, T)], value: T) -> String {
    table.iter().find(|(_, v)| *v == value).map_or("", |(word, _)| word).to_owned()
}

/// The choice behind the page's word; the first when there is none.
pub(super) fn choice<T: Copy + Default>(table: &[(&'static str, T)], value: Text) -> T {
    value.with(|v| table.iter().find(|(word, _)| word == v).map(|(_, t)| *t)).unwrap_or_default()
}

impl Typed {
    /// The editor holding this draft.
    pub(super) fn new(draft: &RuleDraft) -> Typed {
        let text = |typed: &str| RwSignal::new(typed.to_owned());
        Typed {
            low_balance: RwSignal::new(draft.low_balance),
            threshold: text(&draft.threshold),
            threshold_unit: RwSignal::new(word(&UNITS, draft.threshold_unit)),
            scheduled: RwSignal::new(draft.scheduled),
            every: text(&draft.every),
            unit: RwSignal::new(word(&PERIODS, draft.unit)),
            weekdays: RwSignal::new(draft.weekdays.clone()),
            day: text(&draft.day),
            at: text(&draft.at),
            start: text(&draft.start),
            expiring: RwSignal::new(draft.expiring),
            expiring_days: text(&draft.expiring_days),
            amount_kind: RwSignal::new(word(&KINDS, draft.amount_kind)),
            amount: text(&draft.amount),
            amount_unit: RwSignal::new(word(&DATA_UNITS, draft.amount_unit)),
            cap_per_month: text(&draft.cap_per_month),
            max_per_recharge: text(&draft.max_per_recharge),
            max_per_day: text(&draft.max_per_day),
            cool_down: text(&draft.cool_down),
            starts_on: text(&draft.starts_on),
            ends_on: text(&draft.ends_on),
            payment_methods: RwSignal::new(draft.payment_methods.clone()),
            alert: RwSignal::new(draft.alert),
            alert_threshold: text(&draft.alert_threshold),
            alert_unit: RwSignal::new(word(&UNITS, draft.alert_unit)),
        }
    }

    /// Takes another draft over the typing.
    pub(super) fn fill(self, draft: &RuleDraft) {
        let text = |text: Text, typed: &str| {
            if text.with_untracked(|now| now != typed) {
                text.set(typed.to_owned());
            }
        };
        text(self.threshold, &draft.threshold);
        text(self.threshold_unit, &word(&UNITS, draft.threshold_unit));
        text(self.amount, &draft.amount);
        text(self.amount_unit, &word(&DATA_UNITS, draft.amount_unit));
    }

    /// The draft as it stands; tracked.
    pub(super) fn draft(self) -> RuleDraft {
        RuleDraft {
            low_balance: self.low_balance.get(),
            threshold: self.threshold.get(),
            threshold_unit: choice(&UNITS, self.threshold_unit),
            scheduled: self.scheduled.get(),
            every: self.every.get(),
            unit: choice(&PERIODS, self.unit),
            weekdays: self.weekdays.get(),
            day: self.day.get(),
            at: self.at.get(),
            start: self.start.get(),
            expiring: self.expiring.get(),
            expiring_days: self.expiring_days.get(),
            amount_kind: choice(&KINDS, self.amount_kind),
            amount: self.amount.get(),
            amount_unit: choice(&DATA_UNITS, self.amount_unit),
            cap_per_month: self.cap_per_month.get(),
            max_per_recharge: self.max_per_recharge.get(),
            max_per_day: self.max_per_day.get(),
            cool_down: self.cool_down.get(),
            starts_on: self.starts_on.get(),
            ends_on: self.ends_on.get(),
            payment_methods: self.payment_methods.get(),
            alert: self.alert.get(),
            alert_threshold: self.alert_threshold.get(),
            alert_unit: choice(&UNITS, self.alert_unit),
        }
    }
}

/// What core makes of the draft.
pub(super) enum Outcome {
    /// The inputs are not here yet.
    Waiting,
    /// Not a rule yet, and why.
    Errors(Vec<FieldError>),
    /// A rule, and what it does.
    Good(Box<Preview>),
}

impl Outcome {
    /// The draft, from these inputs.
    pub(super) fn of(draft: &RuleDraft, inputs: &PreviewInputs) -> Outcome {
        match validate(draft, &inputs.account, inputs.as_of) {
            Err(errors) => Outcome::Errors(errors),
            Ok(rule) => Outcome::Good(Box::new(preview(&rule, inputs))),
        }
    }

    /// The preview, when it is a rule.
    pub(super) fn preview(&self) -> Option<&Preview> {
        match self {
            Outcome::Good(preview) => Some(preview),
            Outcome::Waiting | Outcome::Errors(_) => None,
        }
    }

    /// The error of one field.
    pub(super) fn error(&self, name: Field) -> Option<FieldError> {
        self.errors().iter().find(|error| error.field == name).copied()
    }

    /// All errors.
    pub(super) fn errors(&self) -> &[FieldError] {
        match self {
            Outcome::Errors(errors) => errors,
            Outcome::Waiting | Outcome::Good(_) => &[],
        }
    }

    /// Whether it is told to whoever shows it. Two previews are hardly ever equal, because they are
    /// of the moment of their inputs: they are not compared.
    fn changed(before: Option<&Arc<Outcome>>, now: Option<&Arc<Outcome>>) -> bool {
        match (before.map(Arc::as_ref), now.map(Arc::as_ref)) {
            (Some(Outcome::Errors(before)), Some(Outcome::Errors(now))) => before != now,
            (Some(Outcome::Waiting), Some(Outcome::Waiting)) => false,
            _ => true,
        }
    }

    /// Whether a person would see the same: all but the moment at which it was computed.
    pub(super) fn looks_like(&self, other: &Outcome) -> bool {
        match (self.preview(), other.preview()) {
            (Some(a), Some(b)) => {
                (a.at_once == b.at_once || a.at_once.reason() == b.at_once.reason())
                    && a.upcoming == b.upcoming
                    && a.bound == b.bound
                    && a.rule.limits == b.rule.limits
                    && a.rule.amount == b.rule.amount
            }
            (None | Some(_), _) => false,
        }
    }
}

/// The editor and its outcome; a handle that is copied freely.
#[derive(Clone, Copy)]
pub(super) struct Editor {
    pub(super) typed: Typed,
    pub(super) inputs: Loaded<PreviewInputs>,
    pub(super) outcome: Memo<Arc<Outcome>>,
    /// The fields that have been left once: only their errors are shown before a save is tried.
    pub(super) left: RwSignal<Vec<Field>>,
}

impl Editor {
    /// Opens the editor on a draft. New inputs recompute the outcome and leave the typing alone.
    pub(super) fn open(draft: &RuleDraft, inputs: Loaded<PreviewInputs>) -> Editor {
        let typed = Typed::new(draft);
        let outcome = move |_: Option<&_>| {
            let draft = typed.draft();
            let outcome = inputs.with(|inputs| Outcome::of(&draft, inputs));
            Arc::new(outcome.unwrap_or(Outcome::Waiting))
        };
        let outcome = Memo::new_with_compare(outcome, Outcome::changed);
        Editor { typed, inputs, outcome, left: RwSignal::new(Vec::new()) }
    }

    /// The rule of a preview in one plain sentence, with the account's methods in it; tracked.
    pub(super) fn sentence(self, text: Words, preview: &Preview) -> String {
        let said = self.inputs.with(|inputs| {
            text.speech(|speech| speech.rule(&preview.rule, &inputs.account.payment_methods))
        });
        said.unwrap_or_default()
    }

    /// The currency of the line.
    pub(super) fn currency(self) -> String {
        self.inputs.with(|i| i.account.terms.currency().to_string()).unwrap_or_default()
    }
}
