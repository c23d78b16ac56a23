//! What the rule editor computes at every keystroke: validate, preview with the replay of the last
//! 90 days, hash, sentence. The usage is that of a real line, 1,725 records summed by the hour, the
//! busiest of those we have.

use laika_core::api::query::{PreviewAnswer, PreviewQuery};
use std::cell::RefCell;
use std::hint::black_box;

const QUERY: &str = include_str!("../preview.json");

thread_local! {
    static EDITOR: PreviewQuery = serde_json::from_str(QUERY).expect("a query");
    /// The rule typed last: typing it is not what is measured.
    static TYPED: RefCell<(String, Option<PreviewQuery>)> = RefCell::default();
}

/// What stands in the editor: `low` is the rule that most people have, `all` has every trigger and
/// so announces, `dates` goes by the calendar alone.
fn typed(kind: &str) -> PreviewQuery {
    let mut query = EDITOR.with(PreviewQuery::clone);
    let draft = &mut query.draft;
    if kind != "low" {
        draft.scheduled = true;
        draft.every = "1".to_owned();
        draft.day = "31".to_owned();
        draft.at = "09:00".to_owned();
        draft.start = "2026-12-01".to_owned();
    }
    match kind {
        "low" => {}
        "all" => {
            draft.expiring = true;
            draft.expiring_days = "3".to_owned();
        }
        "dates" => draft.low_balance = false,
        other => panic!("no rule is called {other:?}"),
    }
    query
}

/// So many previews of a rule; the hash of the last, which a save would carry.
pub(crate) fn preview_many(kind: &str, count: u64) -> String {
    TYPED.with_borrow_mut(|(known, query)| {
        if known != kind {
            *query = Some(typed(kind));
            *known = kind.to_owned();
        }
        let query = query.as_ref().expect("just typed");
        let mut last = String::new();
        for _ in 0..count {
            match black_box(query).answer() {
                PreviewAnswer::Preview { preview_sha256, preview, .. } => {
                    assert!(preview.replay.is_some_and(|it| !it.recharges.is_empty()));
                    last = preview_sha256;
                }
                PreviewAnswer::Errors(errors) => panic!("not a rule: {errors:?}"),
            }
        }
        last
    })
}
