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
use crate::ui::chart::{Chart, TableWords, bars};
use crate::ui::dialog::Dialog;
use crate::ui::el::{Node, el, nodes, nothing};
use crate::ui::live;
use crate::ui::meter::meter;
use crate::ui::page::{bones, failed, heading};
use crate::ui::status::{Mood, status};
use laika_core::api::{LineView, RechargeView, RuleView};
use laika_core::bytes::Bytes;
use laika_core::money::Money;
use laika_core::say;
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
    nodes![
        heading(text.words.home.title, "unseen"),
        live(move || match (there.get(), lines.all().failure()) {
            (Some(true), _) => whole(lines, rule, recharges),
            (Some(false), _) => no_line(),
            (None, Some(failure)) => failed(&failure, move || session.changed()),
            (None, None) => bones(&["19rem", "10rem", "8rem"]),
        })
    ]
    .node()
}

fn no_line() -> AnyView {
    let words = &text().words.home;
    el("div").class("card").child(status(Mood::Plain, words.no_line, words.no_line_why)).node()
}

fn whole(lines: Lines, rule: Loaded<RuleView>, recharges: Loaded<Vec<RechargeView>>) -> AnyView {
    el("div")
        .class("two")
        .child(el("div").class("stack loose").child(picker(lines)).child(panel(lines, rule)))
        .child(el("div").class("stack loose").child(today(lines)).child(last(recharges)))
        .node()
}

/// Which line, where there is more than one.
fn picker(lines: Lines) -> AnyView {
    let text = text();
    let each = move |all: &Vec<LineView>| {
        let buttons = all.iter().enumerate().map(|(index, line)| {
            let label = line.label.clone();
            el("button")
                .attr("type", "button")
                .live(
                    "aria-pressed",
                    move || if lines.chosen() == index { "true" } else { "false" },
                )
                .attr("dir", "auto")
                .on("click", move |_| lines.choose(index))
                .child(label)
        });
        let buttons = buttons.collect::<Vec<_>>();
        el("div")
            .class("lang")
            .attr("role", "group")
            .attr("aria-label", text.words.home.which_line)
            .child(buttons)
    };
    nodes![live(move || lines.all().with(|all| (all.len() > 1).then(|| each(all))))].node()
}

fn panel(lines: Lines, rule: Loaded<RuleView>) -> AnyView {
    let text = text();
    let words = &text.words.home;
    let bar = move || {
        let view = rule.get();
        let saved = view.as_ref().and_then(|view| view.rule.as_ref());
        lines.with(|line| {
            let more = line.rule.as_ref().map_or(Bytes::ZERO, |status| adds(&status.as_if_due));
            let said = level_words(text, line, saved, more);
            let stale = lines.all().failure().is_some();
            meter(&level(line, saved, Bytes::ZERO), &said, false, stale)
        })
    };
    let title = move || lines.with(|line| line.label.clone());
    let credit = move || {
        let left =
            lines.with(|line| Money::new(line.balance.credit_left_minor(), line.currency))?;
        (left.amount_minor > 0).then(|| (words.credit)(&text.money(left)))
    };
    let overrun = move || {
        let over = lines.with(|line| line.balance.overrun_bytes)?;
        (!over.is_zero()).then(|| el("p").class("small").child((words.overrun)(&text.bytes(over))))
    };
    let dialog = Dialog::new();
    nodes![
        el("section")
            .class("panel stack")
            .child(
                el("div")
                    .class("row apart small panel-2")
                    .child(el("h2").class("line-name").attr("dir", "auto").child(live(title)))
                    .child(el("span").child(live(credit)))
            )
            .child(live(bar))
            .child(live(overrun))
            .child(
                el("div")
                    .class("next")
                    .child(
                        el("div")
                            .attr("aria-live", "polite")
                            .child(live(move || lines.with(|line| next(text, line))))
                    )
                    .child(actions(lines, dialog))
            ),
        buy::sheet(dialog, lines)
    ]
    .node()
}

/// Set the rule, where there is none; recharge now; the way on for newcomers.
fn actions(lines: Lines, dialog: Dialog) -> AnyView {
    let words = &text().words.home;
    let missing = Memo::new(move |_| lines.with(|line| line.rule.is_none()) == Some(true));
    let begun = Memo::new(move |_| {
        lines.with(|line| line.rule.as_ref().is_some_and(|rule| rule.on)) == Some(true)
    });
    let set = move || missing.get().then(|| go(Weight::Filled, words.set_rule, Route::Rule.path()));
    let buy = move || {
        let weight = if missing.get() { Weight::Plain } else { Weight::Filled };
        button(weight, words.recharge_now, Signal::stored(false), move || dialog.open())
    };
    let guide = move || {
        (!begun.get()).then(|| {
            el("a").class("link small").attr("href", Route::Guide.path()).child(words.to_guide)
        })
    };
    nodes![el("div").class("row").child(live(set)).child(live(buy)), live(guide)]
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
        el("p")
            .child(el("span").class("panel-2").child(words.next).child(" "))
            .child(el("b").child(said))
    });
    let word = format!("{}{}{}", text.words.rule.title, text.words.common.colon, stands.word);
    el("div")
        .class("stack tight")
        .child(status(stands.mood, word, stands.sentence))
        .child(coming)
        .node()
}

/// Today's use, hour by hour of the account's day.
fn today(lines: Lines) -> AnyView {
    let text = text();
    let words = &text.words.home;
    let session = session();
    let used = move || lines.with(|line| line.today.clone()).unwrap_or_default();
    let sum = move || used().into_iter().sum::<Bytes>();
    let none = Memo::new(move |_| sum().is_zero());
    let chart = move || {
        let hours = used();
        let mut heights: Vec<u64> = hours.iter().map(|hour| hour.get()).collect();
        heights.resize(heights.len().max(24), 0);
        let top = text.bytes(hours.iter().max().copied().unwrap_or_default());
        let ticks = ["00:00", "12:00", "24:00"].map(str::to_owned);
        Chart { heights, top, ticks, ..Chart::default() }
    };
    let rows = move || {
        let Some(as_of) = lines.with(|line| line.as_of) else { return Vec::new() };
        let midnight = session.with_zone(|zone| zone.start_of_day(zone.date(as_of)));
        let hour = |i: i64| text.speech(|s| say::time(midnight.plus(Span::hours(i)), s.zone));
        (0i64..).zip(used()).map(|(i, used)| vec![hour(i), text.bytes(used)]).collect()
    };
    let table = TableWords { caption: words.today, columns: &words.today_columns };
    let drawn = move || match none.get() {
        true => el("p").class("muted").child(words.today_none).node(),
        false => bars(chart, nothing(), table, rows),
    };
    el("section")
        .class("card")
        .child(
            el("div")
                .class("card-head")
                .child(el("h2").child(words.today))
                .child(el("b").child(live(move || text.bytes(sum())))),
        )
        .child(live(drawn))
        .node()
}

fn last(recharges: Loaded<Vec<RechargeView>>) -> AnyView {
    let text = text();
    let words = &text.words.home;
    let list = move || {
        recharges.get().map(|all| {
            if all.is_empty() {
                return el("p").class("muted").child(words.last_none).node();
            }
            let items = all
                .iter()
                .take(3)
                .map(|view| el("li").child(recharge_line(text, view)))
                .collect::<Vec<_>>();
            el("ul").class("list").child(items).node()
        })
    };
    el("section")
        .class("card")
        .child(
            el("div")
                .class("card-head")
                .child(el("h2").child(words.last))
                .child(el("a").attr("href", Route::History.path()).child(words.all_history)),
        )
        .child(live(list))
        .node()
}
