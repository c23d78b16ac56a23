//! Claims about reading: the same values as `serde_json`, whatever the order of the fields.

use super::read;
use laika_core::api::{Language, Problem, SessionView};
use laika_core::decide::Decision;
use laika_core::money::Money;
use laika_core::schedule::Schedule;

#[test]
fn it_reads_what_serde_json_reads() {
    for text in [
        r#"{"decision":"skip","reason":{"code":"paused","until":"2026-11-22T00:00:00Z"},"next_look_at":"2026-11-22T00:00:00Z"}"#,
        r#" { "decision" : "skip" , "reason" : {"code":"not_due"} , "next_look_at" : null } "#,
    ] {
        let ours = read::<Decision>(text).ok();
        assert_eq!(ours, serde_json::from_str(text).ok(), "{text}");
        assert!(ours.is_some(), "{text}");
    }
    let text = r#"{"every":2,"unit":"week","weekdays":["MO"],"at":"09:00","start":"2026-01-01"}"#;
    assert_eq!(read::<Schedule>(text).ok(), serde_json::from_str(text).ok());
    let text = r#"{"type":"/problems/fields","title":"t","status":422,"code":"fields","errors":[{"field":"password","code":"too_short","params":{"min":8}}],"request_id":"r"}"#;
    assert_eq!(read::<Problem>(text).ok(), serde_json::from_str(text).ok());
    assert_eq!(read::<Language>("\"zh-CN\"").ok(), Some(Language::ZhCn));
}

#[test]
fn escapes_are_read_and_nonsense_is_refused() {
    let text = "\"a\\n\\u4e2d\\ud83d\\ude00\\\"é\"";
    assert_eq!(read::<String>(text).ok().as_deref(), Some("a\n中😀\"é"));
    for bad in ["", "\"", "{", "[1,]", "[1 2]", "tru", "1.5", "\"\\ud83d\"", "\"\\x\"", "1 2"] {
        assert!(read::<Vec<i64>>(bad).is_err() && read::<String>(bad).is_err(), "{bad}");
    }
    assert!(read::<SessionView>("{}").is_err());
    assert_eq!(read::<Vec<i64>>("[-1, 2]").ok(), Some(vec![-1, 2]));
}

#[test]
fn fields_are_found_in_any_order_and_among_strangers() {
    let wanted = read::<Money>(r#"{"amount_minor":1200,"currency":"EUR"}"#).ok();
    assert!(wanted.is_some());
    for text in [
        r#"{"currency":"EUR","amount_minor":1200}"#,
        r#"{"new":[{"a":"}\""},-1.5e3],"amount_minor":1200,"x":null,"currency":"EUR","y":true}"#,
        " { \"currency\" : \"EUR\" , \"amount_minor\" : 1200 , \"z\" : { } } ",
    ] {
        assert_eq!(read::<Money>(text).ok(), wanted, "{text}");
    }
    for bad in [
        r#"{"amount_minor":1200}"#,
        r#"{"amount_minor":1200,"currency":"EUR""#,
        r#"{"amount_minor":1200,"currency":"EUR",}"#,
        r#"{"amount_minor":1200 "currency":"EUR"}"#,
        r#"{"currency":"EUR","x":,"amount_minor":1200}"#,
        r#"{"currency":"EUR","x":]],"amount_minor":1200}"#,
        r#"{"currency":"EUR","x":#,"amount_minor":1200}"#,
        r#"{"currency":"EUR","amount_minor":null}"#,
    ] {
        assert!(read::<Money>(bad).is_err(), "{bad}");
    }
    let text = r#"{"account":null,"sandbox":null,"brand":"b","now":"2026-11-22T00:00:00Z"}"#;
    assert!(read::<SessionView>(text).is_err(), "the engine's version is missing");
}
