//! What a customer calls a thing: text of any script that stands beside other text, so nothing in
//! it may be unseen, reorder its neighbours or attach to them. It is kept as typed, not normalised:
//! the same word is as long and as good composed and decomposed.
//!
//! What a text means elsewhere is the concern of what writes it there: a label may begin with `=`,
//! `+`, `-` or `@`, and whoever exports it as CSV keeps a spreadsheet from reading a formula.

mod marks;

use crate::field::FieldCode;
use marks::MARKS;

/// The longest label, in characters as people count them.
pub const LABEL_MAX: u32 = 40;

/// The longest label in code points: no real one comes near it, and emoji that are joined to one
/// another count as one character.
const CODE_POINTS_MAX: usize = 400;

/// More marks than this on one letter are no writing: Tibetan, which stacks highest, has nine.
const STACK_MAX: u32 = 10;

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';

/// What a line is called: 1 to 40 characters.
///
/// *Shape*: spaces of all kinds become one, none at either end. *Errors*: `required` (also where
/// nothing of it can be seen), `unusable_character` (controls and line breaks; what overrides or
/// isolates the direction; a mark or joiner with nothing before it; more than ten marks in a row;
/// invisible tags outside a flag; what no text may hold), `too_long`.
pub fn label(typed: &str) -> Result<String, FieldCode> {
    let mut text = String::new();
    let (mut seen, mut stack) = (false, 0_u32);
    // A space only stands between two things.
    let mut space = false;
    for c in typed.trim_matches(is_space).chars() {
        if is_space(c) {
            space = true;
            continue;
        }
        let before = if space { None } else { text.chars().next_back() };
        if is_forbidden(c) || !stands(c, before) {
            return Err(FieldCode::unusable(c));
        }
        stack = if is_mark(c) { stack.saturating_add(1) } else { 0 };
        if stack > STACK_MAX {
            return Err(FieldCode::unusable(c));
        }
        if space {
            text.push(' ');
            space = false;
        }
        seen |= !is_unseen(c);
        text.push(c);
    }
    if !seen {
        return Err(FieldCode::Required);
    }
    if characters(&text) > LABEL_MAX || text.chars().count() > CODE_POINTS_MAX {
        return Err(FieldCode::TooLong { max: LABEL_MAX });
    }
    Ok(text)
}

/// How many characters people count: marks, conjuncts, joined emoji, the pairs that are flags and
/// the parts of a Korean syllable count with what they belong to. *Source*: Unicode UAX #29, near
/// enough: every mark joins, those of Burmese that it leaves apart too.
pub fn characters(text: &str) -> u32 {
    let (mut count, mut before, mut half_flag) = (0_u32, None, false);
    for c in text.chars() {
        let flag = matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
        let joins = before.is_some_and(|before| joins(c, before)) || (flag && half_flag);
        half_flag = flag && !joins;
        count = count.saturating_add(u32::from(!joins));
        before = Some(c);
    }
    count
}

/// Whether `c` is drawn in one with `before`; flags of two letters apart.
fn joins(c: char, before: char) -> bool {
    let skin_or_tag = matches!(c, '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}');
    let picture = matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}');
    is_mark(c)
        || matches!(c, ZWJ | ZWNJ)
        || skin_or_tag
        || (picture && before == ZWJ)
        || (is_linker(before) && c >= '\u{900}')
        || (is_syllable_end(c) && is_hangul(before))
}

/// What makes one conjunct of the letters beside it, in the scripts that draw it so.
fn is_linker(c: char) -> bool {
    const LINKERS: [char; 13] = [
        '\u{94d}', '\u{9cd}', '\u{acd}', '\u{b4d}', '\u{c4d}', '\u{d4d}', '\u{1039}', '\u{17d2}',
        '\u{1a60}', '\u{1b44}', '\u{1bab}', '\u{a9c0}', '\u{aaf6}',
    ];
    LINKERS.contains(&c)
}

/// The vowels and final consonants that Korean syllables are decomposed into.
fn is_syllable_end(c: char) -> bool {
    matches!(c, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7fb}')
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97c}' | '\u{ac00}'..='\u{d7fb}')
}

/// Spaces, but not the line breaks and tabs that are white space too.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !c.is_control() && !is_forbidden(c)
}

/// Whether `c` may stand after `before`; nothing is before it at the start and after a space.
fn stands(c: char, before: Option<char>) -> bool {
    match c {
        ZWJ | ZWNJ => before.is_some(),
        // The flags of England, Scotland and Wales are a black flag with their names in tags.
        '\u{e0020}'..='\u{e007f}' => {
            before.is_some_and(|b| matches!(b, '\u{1f3f4}' | '\u{e0020}'..='\u{e007f}'))
        }
        c => before.is_some() || !is_mark(c),
    }
}

/// What no label holds, wherever it stands.
fn is_forbidden(c: char) -> bool {
    match c {
        // Line and paragraph separators.
        '\u{2028}' | '\u{2029}' => true,
        // Embeddings, overrides and isolates of the direction; and what preceded them.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => true,
        // Annotations; tags and what is reserved beside them, but for those that `stands` judges
        // and the variation selectors.
        '\u{fff9}'..='\u{fffb}' => true,
        '\u{e0000}'..='\u{e001f}' | '\u{e0080}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}' => true,
        // Noncharacters.
        '\u{fdd0}'..='\u{fdef}' => true,
        c => c.is_control() || u32::from(c) & 0xfffe == 0xfffe,
    }
}

/// What may stand between other characters, but is nothing by itself.
fn is_unseen(c: char) -> bool {
    match c {
        // Soft hyphen, fillers of Korean syllables, an empty pattern of Braille.
        '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' => true,
        // Zero width, joiners, marks of the direction, invisible operators.
        '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2065}' => true,
        '\u{feff}' | '\u{fff0}'..='\u{fff8}' => true,
        // Controls of shorthand and of music.
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => true,
        '\u{e0020}'..='\u{e007f}' => true,
        c => is_mark(c),
    }
}

/// Whether `c` is a combining mark: it is drawn on, under or beside what stands before it.
fn is_mark(c: char) -> bool {
    let c = u32::from(c);
    let after = MARKS.partition_point(|(first, _)| *first <= c);
    after.checked_sub(1).and_then(|i| MARKS.get(i)).is_some_and(|(_, last)| c <= *last)
}

#[cfg(test)]
mod tests;
