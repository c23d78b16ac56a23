//! 300 schedules by an independent implementation, each with its next twelve instants.

use crate::cases::zone;
use laika_core::api::query::{ScheduleAnswer, ScheduleQuery};

const VECTORS: &str = include_str!("../../tests/vectors/schedules.jsonl");

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn all_schedules_agree_with_the_vectors() {
    let mut count = 0;
    for line in VECTORS.lines() {
        let query: ScheduleQuery = serde_json::from_str(line).expect("a query");
        let answer: ScheduleAnswer = serde_json::from_str(line).expect("an answer");
        let zone = zone(&query.time_zone);
        let next: Vec<_> = query.schedule.upcoming(query.after, &zone).take(12).collect();
        assert_eq!(next, answer.next, "{line}");
        count += 1;
    }
    assert_eq!(count, 300);
}
