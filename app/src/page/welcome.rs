//! What Laika is, for who has no account yet: a picture of the level bar with everything on it,
//! three promises, two doors.

use crate::text::text;
use crate::ui::button::{Weight, go};
use crate::ui::icon::{self, Icon, icon};
use crate::ui::meter::{Level, LevelWords, meter};
use crate::ui::page::heading;
use laika_core::bytes::Bytes;
use leptos::prelude::*;

/// The page.
pub(crate) fn page() -> AnyView {
    let text = text();
    let words = &text.words.enter;
    let promise = |shape: Icon, said: &'static str| {
        view! { <li>{icon(shape)}<span>{said}</span></li> }
    };
    view! {
        <div class="welcome">
            <div class="stack loose">
                {heading(words.welcome_title, "hero")} <p class="muted">{words.welcome_lead}</p>
                <div class="doors">
                    {go(Weight::Filled, words.register, "/register")}
                    {go(Weight::Plain, words.sign_in, "/sign-in")}
                </div>
            </div>
            <div class="stack loose">
                {example()}
                <ul class="promise">
                    {promise(icon::RULE, words.promise_1)} {promise(icon::SHIELD, words.promise_2)}
                    {promise(icon::EYE, words.promise_3)}
                </ul>
            </div>
        </div>
    }
    .into_any()
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
    let never = Signal::stored(false);
    view! {
        <div class="panel">{meter(Signal::stored(level), Signal::stored(said), false, never)}</div>
    }
    .into_any()
}
