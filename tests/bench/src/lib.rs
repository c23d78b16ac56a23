//! What `cargo xtask bench core` measures. Every side (native, Node, Chromium) is asked the same
//! line of words and answers with a sum over what came out, so equal sums mean equal decisions.
//! The side that asks takes the time. Nothing here reads a clock or judges a figure.

mod calendar;
mod dice;
#[cfg(feature = "peer")]
mod peer;
mod screen;
mod typed;
mod worlds;

/// Does what the words ask, and answers with a sum over the results.
///
/// `decide KIND COUNT`, `all KIND`, `random SEED COUNT`, `next ROUNDS`, `one CASE ROUNDS`,
/// `days ROUNDS`, `preview KIND COUNT`; with the peer also `json|other|parsed ours|peer KIND COUNT`
/// and `agree COUNT`.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn answer(words: &str) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let number = |text: &str| text.parse::<u64>().expect("a number");
    match words.as_slice() {
        ["decide", kind, count] => sum(typed::decide_many(kind, number(count))),
        ["all", kind] => typed::hash_of_all(kind),
        ["random", seed, count] => sum(typed::decide_random(number(seed), number(count))),
        ["next", rounds] => sum(calendar::by_rule(number(rounds))),
        ["one", number_of, rounds] => sum(calendar::one(number(number_of), number(rounds))),
        ["days", rounds] => sum(calendar::by_day(number(rounds))),
        ["preview", kind, count] => screen::preview_many(kind, number(count)),
        #[cfg(feature = "peer")]
        [what @ ("json" | "other" | "parsed"), side, kind, count] => {
            sum(peer::answer_many(what, side, kind, number(count)))
        }
        #[cfg(feature = "peer")]
        ["agree", count] => peer::agree(number(count)),
        other => panic!("what is {other:?}?"),
    }
}

fn sum(number: u64) -> String {
    format!("{number:016x}")
}
