//! History: each recharge as a timeline, expected, charged and credited side by side, and "why",
//! decided again in this browser from the stored inputs. And the looks that did not charge.

use crate::api::{self, Answer, Failure, Request};
use crate::lines::lines;
use crate::load::{Loaded, load};
use crate::page::findings::{findings, folded};
use crate::page::recharge_line::recharge_line;
use crate::page::standing::mood;
use crate::route::Route;
use crate::session::session;
use crate::text::{Text, text};
use crate::ui::button::{Weight, go};
use crate::ui::el::{Node, el, nodes, nothing};
use crate::ui::live;
use crate::ui::meter::{Level, LevelWords, meter};
use crate::ui::page::{bones, failed, head};
use crate::ui::status::{Mood, status};
use laika_core::api::{LookView, RechargeView};
use laika_core::id::RechargeId;
use laika_core::recharge::Status;
use laika_core::record::DecisionRecord;
use leptos::prelude::*;
use std::sync::Arc;

/// The page.
pub(crate) fn page() -> AnyView {
    let text = text();
    let words = &text.words.history;
    let lines = lines();
    let recharges = load::<Vec<RechargeView>>(move || lines.path("/recharges"));
    let looks = load::<Vec<LookView>>(move || lines.path("/looks"));
    nodes![
        head(words.title, words.lead),
        el("div")
            .class("two")
            .child(
                el("section")
                    .class("stack")
                    .child(el("h2").class("unseen").child(words.recharges))
                    .child(recharge_list(text, recharges))
            )
            .child(
                el("section")
                    .class("card aside")
                    .child(el("h2").child(words.looks))
                    .child(el("p").class("muted small").child(words.looks_lead))
                    .child(look_list(text, looks))
            )
    ]
    .node()
}

fn recharge_list(text: Text, recharges: Loaded<Vec<RechargeView>>) -> AnyView {
    let words = &text.words.history;
    // Which recharges there are decides what is drawn; each card then follows its own, so that an
    // open "why" stays open while the recharge goes on.
    let seen = StoredValue::new(Vec::new());
    let keys = Memo::new(move |_| {
        recharges.with(|all| all.iter().map(|v| key(seen, &v.recharge.id)).collect::<Vec<_>>())
    });
    let list = move || match (keys.get(), recharges.failure().or(lines().all().failure())) {
        (Some(keys), _) if keys.is_empty() => el("div")
            .class("card empty")
            .child(el("p").child(words.none))
            .child(go(Weight::Filled, words.none_do, Route::Rule.path()))
            .node(),
        (Some(_), _) => el("ol").class("stack").child(cards(text, recharges, seen, keys)).node(),
        (None, Some(failure)) => failed(&failure, move || session().changed()),
        (None, None) => bones(&["14rem", "14rem"]),
    };
    live(list)
}

/// The ids seen since the page was opened, in the order of their first appearance.
type Seen = StoredValue<Vec<RechargeId>>;

/// The place of an id among those seen: a key of its card that costs nothing to compare.
fn key(seen: Seen, id: &RechargeId) -> usize {
    let place = seen.with_value(|seen| seen.iter().position(|other| other == id));
    place.unwrap_or_else(|| {
        seen.update_value(|seen| seen.push(id.clone()));
        seen.with_value(Vec::len) - 1
    })
}

/// One card for each recharge; a card stays while its recharge is there.
fn cards(
    text: Text,
    recharges: Loaded<Vec<RechargeView>>,
    seen: Seen,
    keys: Memo<Option<Vec<usize>>>,
) -> AnyView {
    let card = move |key| el("li").class("card stack").child(one(text, recharges, seen, key));
    let each = move || keys.get().unwrap_or_default();
    view! { <For each=each key=|key| *key children=card/> }.into_any()
}

fn one(text: Text, recharges: Loaded<Vec<RechargeView>>, seen: Seen, key: usize) -> AnyView {
    let mine = Mine { recharges, seen, key };
    let body = move || {
        mine.with(|view| {
            nodes![
                recharge_line(text, view),
                three(text, view),
                before_after(text, view),
                timeline(text, view)
            ]
        })
    };
    let automatic = untrack(|| mine.with(|view| view.recharge.automatic())) == Some(true);
    nodes![live(body), automatic.then(|| why(text, mine))]
}

/// The recharge of one card; a handle that is copied freely.
#[derive(Clone, Copy)]
struct Mine {
    recharges: Loaded<Vec<RechargeView>>,
    seen: Seen,
    key: usize,
}

impl Mine {
    /// A look at it as it is now; tracked.
    fn with<R>(self, look: impl FnOnce(&RechargeView) -> R) -> Option<R> {
        let (all, place) = self.find()?;
        all.get(place).map(look)
    }

    fn find(self) -> Option<(Arc<Vec<RechargeView>>, usize)> {
        let all = self.recharges.get()?;
        let place = self.seen.with_value(|seen| {
            let id = seen.get(self.key)?;
            all.iter().position(|view| view.recharge.id == *id)
        })?;
        Some((all, place))
    }
}

/// Expected, charged, credited.
fn three(text: Text, view: &RechargeView) -> AnyView {
    let words = &text.words.history;
    let check = &view.check;
    let status = view.recharge.status;
    // Why: what is not known is not "not yet".
    let none = |unknown: Status| match status {
        _ if status == unknown => text.speech(|speech| speech.status(unknown)),
        _ if status.is_end() => words.nothing,
        _ => words.not_yet,
    };
    let taken = || none(Status::Unknown).to_owned();
    let charged = check.charged.map_or_else(taken, |m| text.money(m));
    let given = || none(Status::DeliveryUnknown).to_owned();
    let credited = check.credited.map_or_else(given, |adds| text.speech(|s| s.adds(adds)));
    el("dl")
        .class("three")
        .child(
            el("div")
                .child(el("dt").child(words.expected))
                .child(el("dd").child(text.money(check.expected))),
        )
        .child(el("div").child(el("dt").child(words.charged)).child(el("dd").child(charged)))
        .child(el("div").child(el("dt").child(words.credited)).child(el("dd").child(credited)))
        .node()
}

/// The level bar before, with what came hatched on it.
fn before_after(text: Text, view: &RechargeView) -> Option<AnyView> {
    let (before, after) = (view.balance_before?, view.balance_after?);
    let words = &text.words.home;
    let level = Level {
        parts: vec![before.get()],
        full: after.get(),
        adds: after.get().saturating_sub(before.get()),
        ..Level::default()
    };
    let said = format!("{} → {}", text.bytes(before), text.bytes(after));
    let around = LevelWords {
        figure: said.clone(),
        spoken: said,
        label: text.words.history.before_after.to_owned(),
        adds: (words.adds)(&text.bytes_exact(view.recharge.order.adds.bytes())),
        ..LevelWords::default()
    };
    Some(el("div").class("panel low").child(meter(&level, &around, true, false)).node())
}

/// What was seen, in the order in which it was taken in.
fn timeline(text: Text, view: &RechargeView) -> AnyView {
    let words = &text.words.history;
    let recharge = &view.recharge;
    let line = |when: String, what: String, open: bool| {
        el("li").class(if open { "open" } else { "" }).child(el("time").child(when)).child(what)
    };
    let seen = recharge
        .facts
        .iter()
        .map(|seen| {
            let what = text.speech(|speech| speech.fact(&seen.fact));
            line(text.when(seen.at), what, false)
        })
        .collect::<Vec<_>>();
    let returned = view
        .returned
        .iter()
        .map(|it| line(text.when(it.at), text.speech(|speech| speech.returned(it)), false))
        .collect::<Vec<_>>();
    let open = (!recharge.status.is_end())
        .then(|| line(String::new(), text.speech(|s| s.status(recharge.status)).to_owned(), true));
    el("ol")
        .class("timeline")
        .child(line(text.when(recharge.opened_at), words.decided.to_owned(), false))
        .child(seen)
        .child(returned)
        .child(open)
        .node()
}

/// What became of computing a decision again.
enum Again {
    Closed,
    Asking,
    Failed(Failure),
    Here(Box<DecisionRecord>),
}

/// The decision again, from its stored inputs, by the code in this browser.
fn why(text: Text, mine: Mine) -> AnyView {
    let words = &text.words.history;
    let again = RwSignal::new(Again::Closed);
    let toggle = move || {
        if again.with_untracked(|it| matches!(it, Again::Asking | Again::Here(_))) {
            again.set(Again::Closed);
            return;
        }
        let id = untrack(|| mine.with(|view| view.recharge.id.clone()));
        let Some(id) = id else { return };
        again.set(Again::Asking);
        let take = move |answer: Answer| {
            // The card may have been left meanwhile; then there is no one to show it to.
            let _ = again.try_set(match answer.and_then(|text| api::read(&text)) {
                Ok(record) => Again::Here(Box::new(record)),
                Err(failure) => Again::Failed(failure),
            });
        };
        api::ask(Request::get(format!("/recharges/{id}/record")), Box::new(take));
    };
    let open = move || again.with(|it| matches!(it, Again::Here(_)));
    let charged = move || mine.with(|view| view.check.charged.is_some()) == Some(true);
    let label = move || match open() {
        true => words.why_hide,
        false if charged() => words.why,
        false => words.why_tried,
    };
    let answer = move || {
        again.with(|it| match it {
            Again::Here(record) => Some(explained(text, record)),
            Again::Closed | Again::Asking | Again::Failed(_) => None,
        })
    };
    // Why apart: the answer is long, and is read by whoever goes on to it.
    let said = move || {
        again.with(|it| match it {
            Again::Closed | Again::Here(_) => nothing(),
            Again::Asking => status(Mood::Unknown, "", words.checking),
            Again::Failed(failure) => status(Mood::Bad, "", text.failure(failure)),
        })
    };
    let toggle = el("button")
        .attr("type", "button")
        .class("link")
        .live("aria-expanded", move || if open() { "true" } else { "false" })
        .on("click", move |_| toggle())
        .child(live(label));
    el("div")
        .class("stack tight")
        .child(el("div").child(toggle))
        .child(el("div").attr("role", "status").child(live(said)))
        .child(live(answer))
        .node()
}

fn explained(text: Text, record: &DecisionRecord) -> AnyView {
    let words = &text.words.history;
    let sentence = text.speech(|s| s.rule(&record.rule, &record.account.payment_methods));
    let decided = text.speech(|speech| speech.decision(&record.decision));
    let rule_version = record.rule.version.to_string();
    el("div")
        .class("stack tight inset")
        .child(el("p").child(decided))
        .child(el("p").class("muted small").child(sentence))
        .child(findings(text, record))
        .child(
            el("p")
                .class("caption muted")
                .child((words.version)(&record.engine_version, &rule_version)),
        )
        .node()
}

fn look_list(text: Text, looks: Loaded<Vec<LookView>>) -> AnyView {
    let words = &text.words.history;
    let list = move || {
        looks.get().map(|all| {
            if all.is_empty() {
                return el("p").class("muted small").child(words.looks_none).node();
            }
            let items = all.iter().enumerate();
            let items = items.map(|(i, look)| el("li").child(one_look(text, look, &all, i)));
            el("ul").class("list looks").child(items.collect::<Vec<_>>()).node()
        })
    };
    live(list)
}

fn one_look(text: Text, look: &LookView, all: &Arc<Vec<LookView>>, index: usize) -> AnyView {
    let all = Arc::clone(all);
    let found = move || all.get(index).map(|look| findings(text, &look.record));
    let record = &look.record;
    let said = text.speech(|speech| speech.decision(&record.decision));
    el("div")
        .class("stack tight small")
        .child(status(mood(record.decision.reason()), text.when(record.now), said))
        .child(folded(text, found))
        .node()
}
