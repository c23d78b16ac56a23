//! One sentence in every language, side by side, and its gaps. Both are one constant, which the
//! compiler checks: a language without its sentence, or a sentence without one of its gaps, does
//! not compile.
//!
//! Why not `format!`: what fills the gaps is the same in every language, and is compiled once.

use super::Speech;
use super::format;
use crate::api::Language;
use crate::bytes::Bytes;
use crate::money::Money;
use crate::time::Instant;
use chrono::NaiveDate;

/// A sentence in each language, in the order of [`Language`]'s declaration, with gaps `{0}`, `{1}`,
/// … which a language may put in any order.
#[derive(Clone, Copy)]
pub(super) struct Words {
    all: &'static str,
    gaps: usize,
}

/// Stands between two languages in [`Words`]: the unit separator, which no sentence has.
const BETWEEN: char = '\u{1f}';

/// What fills a gap.
#[derive(Clone, Copy)]
pub(super) enum Gap<'a> {
    Text(&'a str),
    Number(i64),
    Money(Money),
    /// Exactly, as a rule says it.
    Bytes(Bytes),
    /// Rounded down to what matters.
    About(Bytes),
    Date(NaiveDate),
    /// The date of a year that is understood.
    Day(NaiveDate),
    /// By the speech's clock.
    When(&'a Speech<'a>, Instant),
    Words(Words),
}

/// The constant of a sentence with so many gaps as there are names after it.
macro_rules! words {
    ($en:literal, $zh_cn:literal $(, $gap:expr)*) => {
        const {
            let gaps: &[&str] = &[$(stringify!($gap)),*];
            let both = concat!($en, "\u{1f}", $zh_cn);
            $crate::say::words::Words::new(both, &[$en, $zh_cn], gaps.len())
        }
    };
}
pub(super) use words;

/// Says a sentence in a language, its gaps filled: `say!(language, "{0} left", "剩余 {0}", amount)`.
/// With `text +=` in front it is added to a text. A sentence that has a name stands by it.
macro_rules! say {
    ($text:ident += $language:expr, $en:literal, $zh_cn:literal $(, $gap:expr)* $(,)?) => {{
        let words = $crate::say::words::words!($en, $zh_cn $(, $gap)*);
        words.add_to(&mut $text, $language, &[$($crate::say::words::Gap::from($gap)),*]);
    }};
    ($language:expr, $en:literal, $zh_cn:literal $(, $gap:expr)* $(,)?) => {{
        let words = $crate::say::words::words!($en, $zh_cn $(, $gap)*);
        words.say($language, &[$($crate::say::words::Gap::from($gap)),*])
    }};
    ($language:expr, $words:ident $(, $gap:expr)* $(,)?) => {{
        const {
            let gaps: &[&str] = &[$(stringify!($gap)),*];
            $words.has_gaps(gaps.len());
        }
        $words.say($language, &[$($crate::say::words::Gap::from($gap)),*])
    }};
}
pub(super) use say;

/// Whether a sentence has this gap.
const fn has(sentence: &str, digit: u8) -> bool {
    let mut rest = sentence.as_bytes();
    while let [_, tail @ ..] = rest {
        if let [b'{', there, b'}', ..] = rest
            && *there == digit
        {
            return true;
        }
        rest = tail;
    }
    false
}

impl Words {
    /// Checked as it is compiled: each language has each gap, and none besides.
    pub(super) const fn new(all: &'static str, each: &[&str], gaps: usize) -> Words {
        let mut each = each;
        while let [sentence, others @ ..] = each {
            let (mut digit, mut left) = (b'0', gaps);
            while digit <= b'9' {
                assert!(has(sentence, digit) == (left > 0), "a gap is left out, or one too many");
                digit = digit.wrapping_add(1);
                left = left.saturating_sub(1);
            }
            each = others;
        }
        Words { all, gaps }
    }

    /// Checked as it is compiled: who says it fills as many gaps as it has.
    pub(super) const fn has_gaps(self, gaps: usize) {
        assert!(self.gaps == gaps, "a gap is not filled, or there is none");
    }

    /// The sentence in a language, its gaps as they are.
    pub(super) fn of(self, language: Language) -> &'static str {
        let (en, zh_cn) = self.all.split_once(BETWEEN).unwrap_or((self.all, self.all));
        match language {
            Language::En => en,
            Language::ZhCn => zh_cn,
        }
    }

    /// The sentence, its gaps filled.
    pub(super) fn say(self, language: Language, gaps: &[Gap<'_>]) -> String {
        let mut text = String::new();
        self.add_to(&mut text, language, gaps);
        text
    }

    /// Adds the sentence to a text, its gaps filled.
    pub(super) fn add_to(self, text: &mut String, language: Language, gaps: &[Gap<'_>]) {
        let mut rest = self.of(language);
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let (number, after) = after.split_once('}').unwrap_or((after, ""));
            let number = number.bytes().next().and_then(|digit| digit.checked_sub(b'0'));
            if let Some(gap) = number.and_then(|number| gaps.get(usize::from(number))) {
                gap.add_to(text, language);
            }
            rest = after;
        }
        text.push_str(rest);
    }
}

impl Gap<'_> {
    fn add_to(self, text: &mut String, language: Language) {
        let said = match self {
            Gap::Text(said) => return text.push_str(said),
            Gap::Words(words) => return text.push_str(words.of(language)),
            Gap::Number(number) => number.to_string(),
            Gap::Money(money) => format::money(money),
            Gap::Bytes(bytes) => format::bytes_exact(bytes),
            Gap::About(bytes) => format::bytes(bytes),
            Gap::Date(date) => format::date(date, language),
            Gap::Day(date) => format::day(date, language),
            Gap::When(speech, at) => speech.when(at),
        };
        text.push_str(&said);
    }
}

macro_rules! gaps {
    ($($variant:ident($type:ty) = $value:ident => $gap:expr;)*) => {$(
        impl<'a> From<$type> for Gap<'a> {
            fn from($value: $type) -> Gap<'a> {
                Gap::$variant($gap)
            }
        }
    )*};
}

gaps! {
    Text(&'a str) = text => text;
    Text(&'a String) = text => text;
    Number(u16) = number => number.into();
    Number(u32) = number => number.into();
    Number(i64) = number => number;
    Money(Money) = money => money;
    Bytes(Bytes) = bytes => bytes;
    Date(NaiveDate) = date => date;
    Words(Words) = words => words;
}

impl<'a> From<(&'a Speech<'a>, Instant)> for Gap<'a> {
    fn from((speech, at): (&'a Speech<'a>, Instant)) -> Gap<'a> {
        Gap::When(speech, at)
    }
}
