//! Home: the line's panel (level bar, next recharge, "Recharge now"), today's use as bars, the last
//! three recharges. Everything on it moves with the event stream; nothing on it decides.

use crate::lines::{Lines, lines};
use crate::load::{Loaded, load};
use crate::page::buy;
use crate::page::level::{adds, level, level_words};
use crate::page::recharge_line::recharge_line;
use crate::page::standing::standing;
use crate::route::Route;
use crate::session::session;
use crate::text::{Text, text};
use crate::ui::button::{Weight, button, go};
use crate::ui::chart::{Bar, ChartWords, bars};
use crate::ui::dialog::Dialog;
use crate::ui::live;
use crate::ui::meter::meter;
use crate::ui::page::{bones, failed, heading};
use crate::ui::status::{Mood, status};
use laika_core::api::{LineView, RechargeView, RuleView};
use laika_core::bytes::Bytes;
use laika_core::time::Span;
use leptos::prelude::*;

/// The page.
pub(crate) fn page() -> AnyView {
    let text = text();
    let lines = lines();
    let session = session();
    let rule = load::<RuleView>(move || lines.path("/rule"));
    let recharges = load::<Vec<RechargeView>>(move || lines.path("/recharges"));
    let there = Memo::new(move |_| lines.all().with(|all| !all.is_empty()));
    view! {
        {heading(text.words.home.title, "unseen")}
        {live(move || match (there.get(), lines.all().failure()) {
            (Some(true), _) => whole(lines, rule, recharges),
            (Some(false), _) => no_line(),
            (None, Some(failure)) => failed(&failure, move || session.changed()),
            (None, None) => bones(&["19rem", "10rem", "8rem"]),
        })}
    }
    .into_any()
}

fn no_line() -> AnyView {
    let words = &text().words.home;
    view! {
        <div class="card">{status(Mood::Plain, words.no_line, words.no_line_why)}</div>
    }
    .into_any()
}

fn whole(lines: Lines, rule: Loaded<RuleView>, recharges: Loaded<Vec<RechargeView>>) -> AnyView {
    view! {
        <div class="two">
            <div class="stack loose">{picker(lines)} {panel(lines, rule)}</div>
            <div class="stack loose">{today(lines)} {last(recharges)}</div>
        </div>
    }
    .into_any()
}

/// Which line, where there is more than one.
fn picker(lines: Lines) -> AnyView {
    let text = text();
    let each = move |all: &Vec<LineView>| {
        let buttons = all.iter().enumerate().map(|(index, line)| {
            let label = line.label.clone();
            view! {
                <button
                    type="button"
                    aria-pressed=move || if lines.chosen() == index { "true" } else { "false" }
                    on:click=move |_| lines.choose(index)
                >
                    {label}
                </button>
            }
        });
        let buttons = buttons.collect_view();
        view! {
            <div class="lang" role="group" aria-label=text.words.home.which_line>
                {buttons}
            </div>
        }
    };
    view! {
        {live(move || lines.all().with(|all| (all.len() > 1).then(|| each(all))))}
    }
    .into_any()
}

fn panel(lines: Lines, rule: Loaded<RuleView>) -> AnyView {
    let text = text();
    let words = &text.words.home;
    let shown = move || {
        let line = lines.current()?;
        let saved = rule.with(|view| view.rule.clone()).flatten();
        let more = line.rule.as_ref().map_or(Bytes::ZERO, |status| adds(&status.as_if_due));
        Some((line, saved, more))
    };
    let bar = Signal::derive(move || {
        shown().map(|(line, rule, _)| level(&line, rule.as_ref(), Bytes::ZERO)).unwrap_or_default()
    });
    let said = Signal::derive(move || {
        shown()
            .map(|(line, rule, more)| level_words(text, &line, rule.as_ref(), more))
            .unwrap_or_default()
    });
    let stale = Signal::derive(move || lines.all().failure().is_some());
    let title = move || lines.current().map(|line| line.label);
    let credit = move || {
        let line = lines.current()?;
        let left = laika_core::money::Money::new(line.balance.credit_left_minor(), line.currency);
        (left.amount_minor > 0).then(|| (words.credit)(&text.money(left)))
    };
    let overrun = move || {
        let over = lines.current()?.balance.overrun_bytes;
        (!over.is_zero())
            .then(|| view! { <p class="small">{(words.overrun)(&text.bytes(over))}</p> })
    };
    let dialog = Dialog::new();
    view! {
        <section class="panel stack">
            <div class="row apart small panel-2">
                <h2 class="line-name">{live(title)}</h2>
                <span>{live(credit)}</span>
            </div>
            {meter(bar, said, false, stale)}
            {live(overrun)}
            <div class="next">
                <div aria-live="polite">{live(move || lines.current().map(|line| next(text, &line)))}</div>
                <div class="row">
                    {live(move || lines.current().is_some_and(|line| line.rule.is_none()).then(|| {
                        go(Weight::Filled, words.set_rule, Route::Rule.path())
                    }))}
                    {live(move || {
                        let weight = match lines.current() {
                            Some(line) if line.rule.is_none() => Weight::Plain,
                            _ => Weight::Filled,
                        };
                        button(weight, words.recharge_now, Signal::stored(false), move || dialog.open())
                    })}
                </div>
            </div>
        </section>
        {buy::sheet(dialog, lines)}
    }
    .into_any()
}

/// When the next recharge comes and what it takes, or why none does.
fn next(text: Text, line: &LineView) -> AnyView {
    let words = &text.words.home;
    let Some(rule) = &line.rule else {
        return status(Mood::Off, words.no_rule, words.no_rule_why);
    };
    let stands = standing(text, rule);
    let coming = rule.upcoming.first().filter(|_| stands.mood == Mood::Good).map(|next| {
        let about = if next.expected { "~" } else { "" };
        let said = format!("{about}{}, {}", text.day(next.at), text.money(next.amount));
        view! { <p><span class="panel-2">{words.next}" "</span> <b>{said}</b></p> }
    });
    let word = format!("{}{}{}", text.words.rule.title, text.words.common.colon, stands.word);
    view! { <div class="stack tight">{status(stands.mood, word, stands.sentence)} {coming}</div> }
        .into_any()
}

/// Today's use, hour by hour of the account's day.
fn today(lines: Lines) -> AnyView {
    let text = text();
    let words = &text.words.home;
    let session = session();
    let drawn = move || {
        let line = lines.current()?;
        let sum = line.today.iter().fold(Bytes::ZERO, |sum, hour| sum.plus(*hour));
        if sum.is_zero() {
            return Some(view! { <p class="muted">{words.today_none}</p> }.into_any());
        }
        let midnight = session.with_zone(|zone| zone.start_of_day(zone.date(line.as_of)));
        let hour =
            |i: i64| text.speech(|s| laika_core::say::time(midnight.plus(Span::hours(i)), s.zone));
        let hours = line.today.len().max(24);
        let each = (0i64..).zip(0..hours).map(|(i, index)| {
            let used = line.today.get(index).copied().unwrap_or_default();
            Bar { name: hour(i), value: used.get(), said: text.bytes(used), recharge: false }
        });
        let top = line.today.iter().max().copied().unwrap_or_default();
        let words = ChartWords {
            caption: words.today.to_owned(),
            name: words.hour,
            value: words.used,
            ticks: ["00:00".to_owned(), "12:00".to_owned(), "24:00".to_owned()],
            top: text.bytes(top),
        };
        Some(bars(each.collect(), words))
    };
    let sum = move || {
        let line = lines.current()?;
        let sum = line.today.iter().fold(Bytes::ZERO, |sum, hour| sum.plus(*hour));
        Some(text.bytes(sum))
    };
    view! {
        <section class="card">
            <div class="card-head">
                <h2>{words.today}</h2>
                <b>{live(sum)}</b>
            </div>
            {live(drawn)}
        </section>
    }
    .into_any()
}

fn last(recharges: Loaded<Vec<RechargeView>>) -> AnyView {
    let text = text();
    let words = &text.words.home;
    let list = move || {
        recharges.get().map(|all| {
            if all.is_empty() {
                return view! { <p class="muted">{words.last_none}</p> }.into_any();
            }
            let items = all
                .iter()
                .take(3)
                .map(|view| view! { <li>{recharge_line(text, view)}</li> })
                .collect_view();
            view! { <ul class="list">{items}</ul> }.into_any()
        })
    };
    view! {
        <section class="card">
            <div class="card-head">
                <h2>{words.last}</h2>
                <a href=Route::History.path()>{words.all_history}</a>
            </div>
            {live(list)}
        </section>
    }
    .into_any()
}
