//! What the rule editor computes at every keystroke: validate, preview, hash, sentence.

use laika_core::api::query::{PreviewAnswer, PreviewQuery};
use std::hint::black_box;

const QUERY: &str = include_str!("../../vectors/preview.json");

thread_local! {
    static EDITOR: PreviewQuery = serde_json::from_str(QUERY).expect("a query");
}

/// So many previews; the hash of the last, which a save would carry.
pub(crate) fn preview_many(count: u64) -> String {
    EDITOR.with(|query| {
        let mut last = String::new();
        for _ in 0..count {
            match black_box(query).answer() {
                PreviewAnswer::Preview { preview_sha256, .. } => last = preview_sha256,
                PreviewAnswer::Errors(errors) => panic!("not a rule: {errors:?}"),
            }
        }
        last
    })
}
