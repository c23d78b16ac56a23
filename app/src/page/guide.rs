//! The newcomer's checklist: five steps whose marks come from what is really there, not from what
//! was clicked. It can be left and resumed, because it keeps nothing of its own.

use crate::lines::lines;
use crate::load::load;
use crate::page::standing::standing;
use crate::route::Route;
use crate::session::session;
use crate::text::{Text, text};
use crate::ui::button::{Weight, go};
use crate::ui::el::{Node, el, nodes};
use crate::ui::icon::{self, icon};
use crate::ui::live;
use crate::ui::page::{bones, failed, head};
use crate::ui::status::{Mood, notice};
use laika_core::api::{AccountView, LineView, PaymentMethodView};
use leptos::prelude::*;

/// One step as it is drawn.
struct Step {
    done: bool,
    name: &'static str,
    why: String,
    way: Option<(&'static str, Route)>,
}

/// The page.
pub(crate) fn page() -> AnyView {
    let text = text();
    let words = &text.words.guide;
    let session = session();
    let lines = lines();
    let methods = load::<Vec<PaymentMethodView>>(|| Some("/payment-methods".to_owned()));
    let known = move || {
        lines.all().with(|_| ())?;
        let methods = methods.get()?;
        session.with_account(|account| lines.look(|line| steps(text, account, line, &methods)))
    };
    let list = move || match (known(), lines.all().failure().or(methods.failure())) {
        (Some(steps), _) => draw(text, &steps),
        (None, Some(failure)) => failed(&failure, move || session.changed()),
        (None, None) => bones(&["5rem", "5rem", "5rem", "5rem", "5rem"]),
    };
    nodes![head(words.title, words.lead), el("div").class("measure").child(live(list))].node()
}

fn steps(
    text: Text,
    account: &AccountView,
    line: Option<&LineView>,
    methods: &[PaymentMethodView],
) -> Vec<Step> {
    let words = &text.words.guide;
    let rule = line.and_then(|line| line.rule.as_ref());
    let left = line.map(|line| text.bytes(line.balance.available(line.as_of)));
    let stands = rule.filter(|rule| rule.on).map(|rule| standing(text, rule).sentence);
    let usable = methods.iter().any(|m| m.unusable.is_none());
    vec![
        Step {
            done: true,
            name: words.contacts,
            why: (words.contacts_why)(&account.phone, &account.email),
            way: None,
        },
        Step {
            done: line.is_some(),
            name: words.line,
            why: left.map_or_else(String::new, |left| (words.line_why)(&left)),
            way: None,
        },
        Step {
            done: usable,
            name: words.method,
            why: words.method_why.to_owned(),
            way: Some((words.method_do, Route::Payment)),
        },
        Step {
            done: rule.is_some(),
            name: words.rule,
            why: words.rule_why.to_owned(),
            way: Some((words.rule_do, Route::Rule)),
        },
        Step {
            done: stands.is_some(),
            name: words.on,
            why: stands.unwrap_or_else(|| words.on_why.to_owned()),
            way: Some((words.on_do, Route::Rule)),
        },
    ]
}

fn draw(text: Text, steps: &[Step]) -> AnyView {
    let words = &text.words.guide;
    // The first open step is the one to do: it alone gets the filled button.
    let first = steps.iter().position(|step| !step.done);
    let items = steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let mark =
                if step.done { icon(icon::TICK) } else { nodes![(index + 1).to_string()].node() };
            let class = if step.done { "tick done" } else { "tick" };
            let spoken = if step.done { words.done } else { words.to_do };
            let way = step.way.filter(|_| !step.done).map(|(name, route)| {
                let weight = if first == Some(index) { Weight::Filled } else { Weight::Plain };
                el("div").class("step-way").child(go(weight, name, route.path()))
            });
            let why = step.why.clone();
            el("li").child(el("span").class(class).attr("aria-hidden", "true").child(mark)).child(
                el("div")
                    .child(
                        el("h2")
                            .class("step-name")
                            .child(step.name)
                            .child(el("span").class("unseen").child(", ").child(spoken)),
                    )
                    .child(el("p").class("muted small").child(why))
                    .child(way),
            )
        })
        .collect::<Vec<_>>();
    let all_done = first.is_none().then(|| {
        el("div")
            .class("stack")
            .child(notice(Mood::Good, words.all_done, words.all_done_why))
            .child(el("div").child(go(Weight::Filled, text.words.nav.to_home, "/")))
    });
    el("div")
        .class("stack loose")
        .child(all_done)
        .child(el("ol").class("card steps").child(items))
        .node()
}
