//! The rules on the command line: JSON lines in, JSON lines out, the same answers as everywhere.

use serde_json::Value;

use super::world::place;

const VECTORS: &str = include_str!("../vectors/schedules.jsonl");

#[test]
fn the_schedules_of_the_vectors_come_out_of_the_command_line() {
    let (place, _) = place("schedule", false);
    let mut asked = String::new();
    let mut expected = vec![];
    for line in VECTORS.lines() {
        let mut vector: Value = serde_json::from_str(line).expect("JSON");
        let next = vector.as_object_mut().and_then(|it| it.remove("next")).expect("12 instants");
        asked.push_str(&format!("{vector}\n"));
        expected.push(serde_json::json!({ "next": next }));
    }
    assert_eq!(expected.len(), 300);
    let said = place.run_with(&["schedule"], &asked).expect(0).json_lines();
    let differ = said.iter().zip(&expected).position(|(said, expected)| said != expected);
    assert_eq!((said.len(), differ), (300, None), "the first that differs");
}

#[test]
fn a_question_that_cannot_be_read_is_named_by_row() {
    let (place, _) = place("badrow", false);
    let good = VECTORS.lines().next().expect("a vector");
    let mut vector: Value = serde_json::from_str(good).expect("JSON");
    vector.as_object_mut().and_then(|it| it.remove("next")).expect("12 instants");
    let mut nowhere = vector.clone();
    nowhere["time_zone"] = "Mars/Olympus".into();
    let asked = format!("{vector}\nnot JSON\n{nowhere}\n");
    let said = place.run_with(&["schedule"], &asked).expect(3).json_lines();
    assert_eq!(said[0]["next"].as_array().map(Vec::len), Some(12));
    assert_eq!((&said[1]["row"], &said[2]["row"]), (&2.into(), &3.into()));
    assert!(said[1]["code"].is_string() && said[2]["code"].is_string(), "{said:?}");
}
