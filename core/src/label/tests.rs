//! Claims about labels, a reader's handful; the rest are in `tests/vectors/labels.jsonl`.

use super::*;

#[test]
fn a_label_is_what_is_seen() {
    for (typed, result) in [
        ("  Work \u{3000} phone ", Ok("Work phone")),
        ("我的旅行线路", Ok("我的旅行线路")),
        ("سفر می\u{200c}روم", Ok("سفر می\u{200c}روم")),
        ("👨‍👩‍👧‍👦", Ok("👨‍👩‍👧‍👦")),
        ("=1+1", Ok("=1+1")),
        ("", Err(FieldCode::Required)),
        ("\u{200b}\u{feff}", Err(FieldCode::Required)),
        ("a\nb", Err(FieldCode::unusable('\n'))),
        ("a\tb", Err(FieldCode::unusable('\t'))),
        ("a\u{0}b", Err(FieldCode::unusable('\u{0}'))),
        ("\u{202e}moc", Err(FieldCode::unusable('\u{202e}'))),
        ("\u{301}a", Err(FieldCode::unusable('\u{301}'))),
        ("a \u{301}", Err(FieldCode::unusable('\u{301}'))),
    ] {
        assert_eq!(label(typed), result.map(str::to_owned), "{typed:?}");
    }
}

#[test]
fn a_label_is_at_most_forty_characters_long() {
    for (one, typed) in [("a", "a"), ("线", "线"), ("é", "e\u{301}"), ("🇪🇸", "🇪🇸"), ("👍🏽", "👍🏽")]
    {
        assert!(label(&typed.repeat(40)).is_ok(), "40 × {one}");
        let long = Err(FieldCode::TooLong { max: 40 });
        assert_eq!(label(&typed.repeat(41)), long, "41 × {one}");
    }
    let joined = format!("👩{}", "\u{200d}👩".repeat(200));
    assert_eq!(characters(&joined), 1);
    assert_eq!(label(&joined), Err(FieldCode::TooLong { max: 40 }), "no picture without end");
}

#[test]
fn people_count_characters_not_code_points() {
    for (text, count) in [
        ("", 0),
        ("abc", 3),
        ("e\u{301}", 1),
        ("한국", 2),
        ("\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}", 2),
        ("👨‍👩‍👧‍👦", 1),
        ("👩🏽‍🚀", 1),
        ("🇪🇸🇫🇷", 2),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1),
        ("ที่", 1),
        ("a\u{200d}b", 2),
    ] {
        assert_eq!(characters(text), count, "{text}");
    }
}
