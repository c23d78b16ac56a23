//! The editor's cards: When, How much, Never more than, Pay with, Tell me. Each closes to a summary
//! of what is in it; each field is judged by core when it is left.

use super::fix::fixed;
use super::typed::{DATA_UNITS, Editor, UNITS};
use crate::form::{Form, control_id};
use crate::load::Loaded;
use crate::page::payment::name;
use crate::route::Route;
use crate::text::{Text, text};
use crate::ui::button::{Weight, button, go};
use crate::ui::choice::{check_card, radio_cards};
use crate::ui::el::{Node, el, nodes};
use crate::ui::field::{Check, Kind, field, pick};
use crate::ui::live;
use crate::ui::money_input::{amount_input, money_input};
use laika_core::api::PaymentMethodView;
use laika_core::bytes::Bytes;
use laika_core::field::Field;
use laika_core::schedule::Weekday;
use laika_core::time::parse_date;
use leptos::prelude::*;

type Methods = Loaded<Vec<PaymentMethodView>>;

/// All cards. `open` on a line that has no rule yet.
pub(super) fn cards(editor: Editor, form: Form, methods: Methods, open: bool) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let typed = editor.typed;
    let join = text.words.common.sep;
    let unit = move |unit: RwSignal<String>| unit_word(editor, &unit.get());
    let when = move || {
        let low = format!("{} {}", typed.threshold.get(), unit(typed.threshold_unit));
        let parts = [
            typed.low_balance.get().then(|| format!("{}{join}{low}", words.low)),
            typed.scheduled.get().then(|| format!("{}{join}{}", words.scheduled, typed.at.get())),
            typed.expiring.get().then(|| words.expiring.to_owned()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(join)
    };
    let much = move || {
        let amount = typed.amount.get();
        match typed.amount_kind.get().as_str() {
            "fixed_credit" => format!("{}{join}{} {amount}", words.fixed_money, editor.currency()),
            "fixed_data" => {
                format!("{}{join}{amount} {}", words.fixed_data, unit(typed.amount_unit))
            }
            _ => format!("{}{join}{amount} {}", words.target, unit(typed.amount_unit)),
        }
    };
    let most = move || {
        let cap = typed.cap_per_month.get();
        let cap = if cap.is_empty() { "–".to_owned() } else { cap };
        (words.worst_month)(&format!("{} {cap}", editor.currency()))
    };
    let pay = move || {
        let chosen = typed.payment_methods.get();
        let names = methods.with(|all| {
            let named = chosen
                .iter()
                .filter_map(|id| all.iter().find(|m| m.id == *id))
                .map(|m| name(text, m));
            named.collect::<Vec<_>>().join(join)
        });
        names.filter(|names| !names.is_empty()).unwrap_or_else(|| words.no_methods.to_owned())
    };
    let tell = move || {
        if typed.alert.get() {
            format!("{} {}", typed.alert_threshold.get(), unit(typed.alert_unit))
        } else {
            text.words.common.none.to_owned()
        }
    };
    el("div")
        .class("stack cards")
        .child(card(words.when, open, when, when_fields(editor, form)))
        .child(card(words.how_much, open, much, amount_fields(editor, form)))
        .child(card(words.never_more, open, most, limit_fields(editor, form)))
        .child(card(words.pay_with, false, pay, method_fields(editor, methods)))
        .child(card(words.tell_me, false, tell, alert_fields(editor, form)))
        .node()
}

fn card(
    title: &'static str,
    open: bool,
    summary: impl Fn() -> String + Send + 'static,
    fields: AnyView,
) -> AnyView {
    el("details")
        .class("cardlet")
        .attr("open", open)
        .child(
            el("summary")
                .child(el("h2").child(title))
                .child(el("span").class("sum").child(live(summary))),
        )
        .child(el("div").class("fields").child(fields))
        .node()
}

/// A unit as it stands beside a figure.
fn unit_word(editor: Editor, unit: &str) -> String {
    match unit {
        "mb" => "MB".to_owned(),
        "money" => editor.currency(),
        _ => "GB".to_owned(),
    }
}

/// On leaving a field its error is shown from then on.
fn check(editor: Editor, name: Field) -> Option<Check> {
    Some(Box::new(move || {
        editor.left.update(|left| {
            if !left.contains(&name) {
                left.push(name);
            }
        });
        editor.outcome.with_untracked(|outcome| outcome.error(name))
    }))
}

fn plain(
    editor: Editor,
    form: Form,
    name: Field,
    hint: &str,
    kind: Kind,
    value: RwSignal<String>,
) -> AnyView {
    let field = field(form, name, text().field(name), hint, kind, value, check(editor, name));
    fixed(editor, form, name, field)
}

/// An error of a field that has no text control of its own.
fn loose_error(editor: Editor, name: Field) -> AnyView {
    let text = text();
    live(move || {
        let error = editor.outcome.with(|outcome| outcome.error(name));
        error.map(|error| {
            let said = text.field_error(&error);
            el("p").class("error").attr("id", control_id(name)).attr("tabindex", "-1").child(said)
        })
    })
}

fn threshold_input(
    editor: Editor,
    form: Form,
    name: Field,
    hint: String,
    value: RwSignal<String>,
    unit: RwSignal<String>,
) -> AnyView {
    let text = text();
    let field = live(move || {
        let units = UNITS.map(|(key, _)| (key.to_owned(), unit_word(editor, key)));
        amount_input(
            form,
            name,
            text.field(name),
            hint.clone(),
            value,
            units.to_vec(),
            unit,
            text.words.rule.unit,
            check(editor, name),
        )
    });
    fixed(editor, form, name, field)
}

fn when_fields(editor: Editor, form: Form) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let typed = editor.typed;
    let example = (words.low_example)(&text.bytes_exact(Bytes::GB));
    let low = threshold_input(
        editor,
        form,
        Field::Threshold,
        String::new(),
        typed.threshold,
        typed.threshold_unit,
    );
    let low = held(typed.low_balance, low);
    let scheduled = held(typed.scheduled, schedule_fields(editor, form));
    let days = plain(editor, form, Field::ExpiringDays, "", Kind::COUNT, typed.expiring_days);
    let expiring = held(typed.expiring, days);
    nodes![
        loose_error(editor, Field::Trigger),
        check_card(words.low, example, typed.low_balance),
        low,
        check_card(words.scheduled, words.scheduled_example.to_owned(), typed.scheduled),
        scheduled,
        check_card(words.expiring, words.expiring_example.to_owned(), typed.expiring),
        expiring
    ]
    .node()
}

/// Fields that are there only while their card is ticked; what is typed in them stays.
fn held(on: RwSignal<bool>, fields: AnyView) -> AnyView {
    el("div").class("inset").live("hidden", move || !on.get()).child(fields).node()
}

fn schedule_fields(editor: Editor, form: Form) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let typed = editor.typed;
    let units = vec![
        ("day".to_owned(), words.days.to_owned()),
        ("week".to_owned(), words.weeks.to_owned()),
        ("month".to_owned(), words.months.to_owned()),
    ];
    let month = plain(editor, form, Field::Day, "", Kind::COUNT, typed.day);
    let is = move |unit: &'static str| typed.unit.with(|u| u == unit);
    nodes![
        el("div")
            .class("pair")
            .child(plain(editor, form, Field::Every, "", Kind::COUNT, typed.every))
            .child(pick(
                "schedule-unit".to_owned(),
                Some(words.every_unit.to_owned()),
                units,
                typed.unit
            )),
        el("div").live("hidden", move || !is("week")).child(weekdays(editor)),
        el("div").live("hidden", move || !is("month")).child(month),
        el("div")
            .class("pair dates-pair")
            .child(plain(editor, form, Field::At, "", Kind::TIME, typed.at))
            .child(plain(editor, form, Field::Start, "", Kind::DATE, typed.start)),
        date_said(typed.start)
    ]
    .node()
}

/// A native date field shows dates the device's way; this is ours.
fn date_said(value: RwSignal<String>) -> AnyView {
    let text = text();
    live(move || {
        let date = value.with(|v| parse_date(v))?;
        let said = laika_core::say::date(date, text.language);
        Some(el("p").class("hint").child((text.words.rule.date_said)(&said)))
    })
}

fn weekdays(editor: Editor) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let chosen = editor.typed.weekdays;
    let days = Weekday::ALL
        .iter()
        .zip(words.weekdays)
        .map(|(day, short)| {
            let day = *day;
            el("label")
                .child(
                    el("input")
                        .attr("type", "checkbox")
                        .live("prop:checked", move || chosen.with(|all| all.contains(&day)))
                        .on("change", move |_| chosen.update(|all| toggle(all, day))),
                )
                .child(short)
        })
        .collect::<Vec<_>>();
    el("fieldset")
        .class("field")
        .child(el("legend").class("legend").child(words.weekdays_label))
        .child(el("div").class("days").child(days))
        .child(loose_error(editor, Field::Weekdays))
        .node()
}

fn toggle(all: &mut Vec<Weekday>, day: Weekday) {
    match all.iter().position(|d| *d == day) {
        Some(index) => {
            all.remove(index);
        }
        None => {
            all.push(day);
            *all = Weekday::in_week(all).collect();
        }
    }
}

fn amount_fields(editor: Editor, form: Form) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let typed = editor.typed;
    let kinds = vec![
        ("target", words.target.to_owned(), words.target_example.to_owned()),
        ("fixed_data", words.fixed_data.to_owned(), words.fixed_data_example.to_owned()),
        ("fixed_credit", words.fixed_money.to_owned(), words.fixed_money_example.to_owned()),
    ];
    let money = Memo::new(move |_| typed.amount_kind.with(|kind| kind == "fixed_credit"));
    let amount = move || {
        let label = text.field(Field::Amount);
        let check = check(editor, Field::Amount);
        if money.get() {
            money_input(form, Field::Amount, label, "", editor.currency(), typed.amount, check)
        } else {
            let units = DATA_UNITS.map(|(key, _)| (key.to_owned(), unit_word(editor, key)));
            amount_input(
                form,
                Field::Amount,
                label,
                step_said(text, editor),
                typed.amount,
                units.to_vec(),
                typed.amount_unit,
                words.unit,
                check,
            )
        }
    };
    nodes![
        radio_cards("amount-kind", words.how_much, kinds, typed.amount_kind),
        fixed(editor, form, Field::Amount, live(amount))
    ]
    .node()
}

/// In which steps data is sold, and for how much.
fn step_said(text: Text, editor: Editor) -> String {
    let step = editor.inputs.with(|inputs| inputs.account.terms.step).flatten();
    step.map(|step| (text.words.rule.step)(&text.bytes_exact(step.bytes), &text.money(step.price)))
        .unwrap_or_default()
}

fn limit_fields(editor: Editor, form: Form) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let typed = editor.typed;
    let money = move |name: Field, hint: &'static str, value: RwSignal<String>| {
        let label = text.field(name);
        let field = live(move || {
            money_input(form, name, label, hint, editor.currency(), value, check(editor, name))
        });
        fixed(editor, form, name, field)
    };
    let count = |name: Field, unit: &'static str, value: RwSignal<String>| {
        money_input(form, name, text.field(name), "", unit.to_owned(), value, check(editor, name))
    };
    nodes![
        money(Field::CapPerMonth, words.cap_hint, typed.cap_per_month),
        el("details").child(el("summary").child(words.more_limits)).child(
            el("div")
                .class("fields")
                .child(el("p").class("hint").child(words.optional))
                .child(money(Field::MaxPerRecharge, "", typed.max_per_recharge))
                .child(
                    el("div")
                        .class("pair")
                        .child(count(Field::MaxPerDay, words.times, typed.max_per_day))
                        .child(count(Field::CoolDown, words.minutes, typed.cool_down))
                )
                .child(
                    el("div")
                        .class("pair dates-pair")
                        .child(plain(
                            editor,
                            form,
                            Field::StartsOn,
                            "",
                            Kind::DATE,
                            typed.starts_on
                        ))
                        .child(plain(editor, form, Field::EndsOn, "", Kind::DATE, typed.ends_on))
                )
                .child(date_said(typed.ends_on))
        )
    ]
    .node()
}

fn alert_fields(editor: Editor, form: Form) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let typed = editor.typed;
    let at = threshold_input(
        editor,
        form,
        Field::AlertThreshold,
        words.alert_hint.to_owned(),
        typed.alert_threshold,
        typed.alert_unit,
    );
    nodes![
        check_card(words.alert, words.alert_example.to_owned(), typed.alert),
        held(typed.alert, at)
    ]
    .node()
}

fn method_fields(editor: Editor, methods: Methods) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let chosen = editor.typed.payment_methods;
    let add = || go(Weight::Compact, words.add_method, Route::Payment.path());
    let list = move || {
        let all = methods.get()?;
        if !all.iter().any(|m| m.rail.facts().off_session) {
            return Some(
                nodes![el("p").class("muted").child(words.no_methods), el("div").child(add())]
                    .node(),
            );
        }
        let order = chosen.get();
        let chosen = order.iter().filter_map(|id| all.iter().find(|m| m.id == *id));
        // Why: one that needs the customer each time is nothing for a rule.
        let able = |m: &&PaymentMethodView| m.rail.facts().off_session;
        let others = all.iter().filter(|m| !order.contains(&m.id)).filter(able);
        let items = chosen.chain(others).map(|m| one_method(text, editor, m)).collect::<Vec<_>>();
        Some(el("ol").class("choices").child(items).node())
    };
    nodes![
        el("p").class("hint").child(words.methods_hint),
        live(list),
        loose_error(editor, Field::PaymentMethods)
    ]
    .node()
}

fn one_method(text: Text, editor: Editor, method: &PaymentMethodView) -> AnyView {
    let chosen = editor.typed.payment_methods;
    let id = method.id.clone();
    let used = chosen.with(|all| all.contains(&id));
    let place = chosen.with(|all| all.iter().position(|other| *other == id));
    let note = match place {
        Some(0) if method.unusable.is_none() => text.words.payment.first.to_owned(),
        Some(_) | None => {
            method.unusable.map(|why| text.speech(|s| s.unusable(why))).unwrap_or_default()
        }
    };
    let flip = {
        let id = id.clone();
        move |_| {
            chosen.update(|all| match all.iter().position(|other| *other == id) {
                Some(index) => {
                    all.remove(index);
                }
                None => all.push(id.clone()),
            })
        }
    };
    let earlier = place.filter(|place| *place > 0).map(|place| {
        button(Weight::Link, text.words.rule.earlier, Signal::stored(false), move || {
            chosen.update(|all| {
                if place < all.len() {
                    all.swap(place, place - 1);
                }
            })
        })
    });
    el("li")
        .child(
            el("label")
                .class("choice")
                .child(
                    el("input")
                        .attr("type", "checkbox")
                        .attr("prop:checked", used)
                        .on("change", flip),
                )
                .child(el("span").class("says").child(name(text, method)))
                .child(el("span").class("hint").child(note)),
        )
        .child(earlier)
        .node()
}
