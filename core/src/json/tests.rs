//! Claims about JSON: what is written is what serde_json writes, and what is read quickly is what
//! it reads.

use super::{read, read_canonical, write};
use crate::money::Money;
use crate::rule::{Adds, Threshold};
use crate::schedule::Schedule;
use crate::zone::Zone;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// It is read at once; and changed in any byte, it is read as serde_json reads it or not at all.
fn reads_as_serde_json<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) {
    assert!(read_canonical::<T>(text).is_some(), "{text}");
    let mut otherwise = 0;
    for at in 0..text.len() {
        for other in ["", "0", "9", "-", ".5", "e1", "\"", "\\", "\n", " ", ",", "}", "null"] {
            for range in [at..at, at..at + 1] {
                let mut changed = text.to_owned();
                changed.replace_range(range, other);
                let quick: Option<T> = read_canonical(&changed);
                let known: Option<T> = serde_json::from_str(&changed).ok();
                otherwise += usize::from(quick.is_none() && known.is_some());
                assert!(quick.is_none() || quick == known, "{changed}");
                assert_eq!(read(&changed).ok(), known, "{changed}");
            }
        }
    }
    assert!(otherwise > 0, "{text}: nothing was left to serde_json");
}

#[test]
fn what_is_read_quickly_is_what_serde_json_reads() {
    reads_as_serde_json::<Money>(r#"{"amount_minor":-1200,"currency":"EUR"}"#);
    reads_as_serde_json::<Adds>(
        r#"{"kind":"data","bytes":1000000000,"steps":1,"validity_days":30}"#,
    );
    reads_as_serde_json::<Threshold>(r#"{"kind":"credit","amount_minor":5,"currency":"KWD"}"#);
    reads_as_serde_json::<Schedule>(
        r#"{"every":2,"unit":"week","weekdays":["MO","SU"],"at":"09:00","start":"2026-01-01"}"#,
    );
    reads_as_serde_json::<Zone>(
        r#"{"name":"X","tz_version":"","first_offset_s":-3600,"transitions":[[12345678,0],[123456789,3600]]}"#,
    );
    reads_as_serde_json::<Vec<Option<bool>>>("[true,null,false]");
}

#[test]
fn numbers_that_might_not_fit_are_left_to_serde_json() {
    for (text, quick) in [
        ("0", true),
        ("7", true),
        ("12345678", true),
        ("123456789012345678", true),
        ("1234567890123456789", false),
        ("18446744073709551616", false),
        ("00", false),
        ("00000000", false),
        ("", false),
        ("-1", false),
        ("1/", false),
        ("1:", false),
        ("1234567:", false),
        ("1234567\u{b9}", false),
    ] {
        let read: Option<u64> = read_canonical(text);
        let known: Option<u64> = serde_json::from_str(text).ok();
        assert_eq!(read, known.filter(|_| quick), "{text}");
    }
    for (text, quick) in [("-1", true), ("-0", false), ("--1", false), ("-", false)] {
        let read: Option<i64> = read_canonical(text);
        assert_eq!(read, serde_json::from_str(text).ok().filter(|_| quick), "{text}");
    }
    assert_eq!(read_canonical::<u32>("4294967296"), None, "more than fits");
}

#[test]
fn texts_end_at_their_quote_wherever_it_stands() {
    for length in 0..20 {
        for end in ["\"", "\\\"", "\u{1f}\"", "é\"", ""] {
            let text = format!(
                "\"{}{end}",
                "€x~\u{7f}!#[]".repeat(3).chars().take(length).collect::<String>()
            );
            let known: Option<String> = serde_json::from_str(&text).ok();
            let escaped = end.starts_with('\\');
            assert_eq!(read_canonical(&text), known.filter(|_| !escaped), "{text:?}");
        }
    }
}

#[test]
fn what_is_written_is_what_serde_json_writes() {
    #[derive(Serialize)]
    struct Pair(i64, Option<u32>);
    #[derive(Serialize)]
    enum Kind {
        Unit,
        One(i8),
        Two(bool, char),
        Fields { a: (), b: &'static str },
    }
    let text: String = (0_u8..=0x7f).map(char::from).chain("é€中😀".chars()).collect();
    let numbers = [0, 1, -1, 9, 10, -10, 123_456_789, i64::MAX, i64::MIN];
    let map: std::collections::BTreeMap<&str, u64> = [("", u64::MAX), ("a\"b", 0)].into();
    let kinds = [Kind::Unit, Kind::One(-8), Kind::Two(true, '"'), Kind::Fields { a: (), b: "/" }];
    let none: [u8; 0] = [];
    let whole = (text, numbers, map, kinds, (Pair(0, None), Pair(5, Some(7))), none);
    let written = write(&whole).unwrap_or_default();
    assert_eq!(Some(written), serde_json::to_vec(&whole).ok());
    assert!(write(&0.5).is_err() && write(&[0.5_f32]).is_err());
    assert!(write(&std::collections::BTreeMap::from([(1, 2)])).is_err(), "a name is a text");
}
