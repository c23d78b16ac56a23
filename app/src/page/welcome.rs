//! What Laika is, for who has no account yet: a picture of the level bar with everything on it,
//! three promises, two doors.

use crate::text::text;
use crate::ui::button::{Weight, go};
use crate::ui::el::{Node, el};
use crate::ui::icon::{self, Icon, icon};
use crate::ui::meter::{Level, LevelWords, meter};
use crate::ui::page::heading;
use laika_core::bytes::Bytes;
use leptos::prelude::*;

/// The page.
pub(crate) fn page() -> AnyView {
    let text = text();
    let words = &text.words.enter;
    let promise =
        |shape: Icon, said: &'static str| el("li").child(icon(shape)).child(el("span").child(said));
    el("div")
        .class("welcome")
        .child(
            el("div")
                .class("stack loose")
                .child(heading(words.welcome_title, "hero"))
                .child(el("p").class("muted").child(words.welcome_lead))
                .child(
                    el("div")
                        .class("doors")
                        .child(go(Weight::Filled, words.register, "/register"))
                        .child(go(Weight::Plain, words.sign_in, "/sign-in")),
                ),
        )
        .child(
            el("div").class("stack loose").child(example()).child(
                el("ul")
                    .class("promise")
                    .child(promise(icon::RULE, words.promise_1))
                    .child(promise(icon::SHIELD, words.promise_2))
                    .child(promise(icon::EYE, words.promise_3)),
            ),
        )
        .node()
}

/// A line as it will look: what is left, where it recharges, to what it fills up.
fn example() -> AnyView {
    let text = text();
    let words = &text.words.home;
    let megabytes = |n: u64| Bytes::new(n.saturating_mul(Bytes::MB.get())).unwrap_or(Bytes::ZERO);
    let [left, threshold, target, adds] = [1_300, 1_000, 5_000, 3_700].map(megabytes);
    let level = Level {
        parts: vec![left.get()],
        full: megabytes(6_000).get(),
        threshold: Some(threshold.get()),
        target: Some(target.get()),
        adds: adds.get(),
    };
    let (figure, unit) = text.figure(left);
    let said = LevelWords {
        figure,
        unit: (words.gb_left)(&unit),
        spoken: (words.gb_left)(&text.bytes(left)),
        note: String::new(),
        label: words.data_left.to_owned(),
        threshold: (words.threshold)(&text.bytes(threshold)),
        target: (words.target)(&text.bytes(target)),
        adds: (words.adds)(&text.bytes(adds)),
    };
    el("div").class("panel").child(meter(&level, &said, false, false)).node()
}
