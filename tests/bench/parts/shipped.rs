//! Where functions and data lie in the file as it is sent.

use crate::linked::imported_functions;
use std::collections::BTreeMap;
use std::ops::Range;
use wasmparser::{DataKind, KnownCustom, Name, NameSectionReader, Operator, Parser, Payload};

/// The file as it is sent, and what lies where in it.
pub(crate) struct Shipped {
    pub(crate) file: Vec<u8>,
    /// Every function's body by its mangled name.
    pub(crate) functions: Vec<(String, Range<usize>)>,
    /// Where each segment begins in memory, and where it lies.
    segments: Vec<(u32, Range<usize>)>,
}

impl Shipped {
    /// Where the data of these addresses lies; what is all zeros lies nowhere.
    pub(crate) fn places<'a>(
        &'a self,
        addresses: &'a Range<u32>,
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        self.segments.iter().filter_map(|(start, place)| {
            let from = addresses.start.max(*start) - start;
            let to = addresses.end.saturating_sub(*start).min(place.len() as u32);
            (from < to).then(|| place.start + from as usize..place.start + to as usize)
        })
    }
}

/// Reads a file that kept its names, which are not sent.
pub(crate) fn read(named: &[u8]) -> Shipped {
    let mut names = BTreeMap::new();
    let mut bodies = vec![];
    let mut segments = vec![];
    let mut imported = 0;
    for payload in Parser::new(0).parse_all(named) {
        match payload.expect("a module") {
            Payload::ImportSection(imports) => imported = imported_functions(imports),
            Payload::CodeSectionEntry(body) => bodies.push(body.range()),
            Payload::DataSection(all) => {
                for segment in all {
                    let segment = segment.expect("a segment");
                    let end = segment.range.end as usize;
                    segments.push((address(&segment.kind), end - segment.data.len()..end));
                }
            }
            Payload::CustomSection(custom) => {
                if let KnownCustom::Name(all) = custom.as_known() {
                    names = function_names(all);
                }
            }
            _ => {}
        }
    }
    let file = without_custom(named, |name| name == "name");
    let end = segments.iter().map(|(_, place)| place.end).max().unwrap_or(0);
    assert!(file.starts_with(&named[..end]), "the names lie before what they name");
    let functions = (imported..).zip(bodies).filter_map(|(number, body)| {
        Some((names.remove(&number)?, body.start as usize..body.end as usize))
    });
    Shipped { file, functions: functions.collect(), segments }
}

fn function_names(all: NameSectionReader<'_>) -> BTreeMap<u32, String> {
    let maps = all.into_iter().filter_map(|name| match name {
        Ok(Name::Function(names)) => Some(names),
        _ => None,
    });
    let each = maps.flatten().map(|naming| naming.expect("a name"));
    each.map(|naming| (naming.index, naming.name.to_owned())).collect()
}

/// Where a segment begins in memory.
pub(crate) fn address(kind: &DataKind<'_>) -> u32 {
    let DataKind::Active { offset_expr, .. } = kind else { return 0 };
    match offset_expr.get_operators_reader().read() {
        Ok(Operator::I32Const { value }) => value as u32,
        other => panic!("a segment at {other:?}"),
    }
}

/// The file without those custom sections that are not wanted.
pub(crate) fn without_custom(bytes: &[u8], unwanted: fn(&str) -> bool) -> Vec<u8> {
    let mut kept = bytes.to_vec();
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::CustomSection(custom) = payload.expect("a module")
            && unwanted(custom.name())
        {
            let content = custom.range().start as usize..custom.range().end as usize;
            let start = section_start(bytes, &content);
            let cut = bytes.len() - kept.len();
            kept.drain(start - cut..content.end - cut);
        }
    }
    kept
}

/// Where a section begins whose content lies there: with its kind, 0 for custom, and its length.
fn section_start(bytes: &[u8], content: &Range<usize>) -> usize {
    let length = |digits: &[u8]| {
        let each = digits.iter().zip([0, 7, 14, 21, 28]);
        each.fold(0, |sum, (digit, shift)| sum | usize::from(digit & 0x7f) << shift)
    };
    let begins = |digits: &usize| {
        let at = content.start - digits;
        bytes[at - 1] == 0 && length(&bytes[at..content.start]) == content.len()
    };
    content.start - (1..=5).find(begins).expect("a section's length") - 1
}
