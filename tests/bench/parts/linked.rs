//! Who wrote each instruction and who uses which data, by what the compiler and the linker kept:
//! debug information, relocations and symbols.

use crate::owner::Owner;
use crate::shipped::address;
use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, Error, LittleEndian};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasmparser::{
    FunctionBody, ImportSectionReader, KnownCustom, Linking, LinkingSectionReader, Parser, Payload,
    RelocSectionReader, RelocationType, SymbolInfo, TypeRef,
};

/// What a linked module tells.
pub(crate) struct Linked {
    /// Of each function, by its mangled name, whose its instructions are; the shares add up to 1.
    pub(crate) shares: BTreeMap<String, BTreeMap<Owner, f64>>,
    /// Addresses in memory, and whose the data there is.
    pub(crate) data: Vec<(Range<u32>, Owner)>,
}

#[derive(Default)]
struct Module<'a> {
    bodies: Vec<FunctionBody<'a>>,
    code: Section,
    data: Section,
    imported: u32,
    /// Where each segment begins in memory, and in the data section.
    segments: Vec<(u32, Range<u32>)>,
    functions: BTreeMap<u32, &'a str>,
    /// Symbols of data by their number: segment, offset, size.
    symbols: BTreeMap<u32, (u32, u32, u32)>,
    /// Place and symbol of each reference to data, in the code and in the data section.
    code_refers: Vec<(u32, u32)>,
    data_refers: Vec<(u32, u32)>,
    debug: BTreeMap<&'a str, &'a [u8]>,
}

/// A section's number, and where its content begins in the file.
#[derive(Default)]
struct Section {
    number: u32,
    start: u64,
}

impl Section {
    fn within(&self, at: u64) -> u32 {
        (at - self.start) as u32
    }
}

/// Reads a module that was linked with `--emit-relocs` and has debug information.
pub(crate) fn read(bytes: &[u8]) -> Linked {
    let module = parse(bytes);
    assert!(!module.symbols.is_empty(), "linked without --emit-relocs");
    let writers = Writers::of(&module);
    let mut shares = BTreeMap::new();
    let mut written: BTreeMap<u32, Owner> = BTreeMap::new();
    for (number, body) in (module.imported..).zip(&module.bodies) {
        let Some(name) = module.functions.get(&number) else { continue };
        let whole = Owner::of(name).unwrap_or(Owner::Rest);
        let mut lengths: BTreeMap<Owner, f64> = BTreeMap::new();
        for (at, length) in instructions(body, &module.code) {
            let owner = writers.owner_at(at).unwrap_or_else(|| whole.clone());
            *lengths.entry(owner.clone()).or_default() += f64::from(length);
            written.insert(at, owner);
        }
        let all: f64 = lengths.values().sum();
        lengths.values_mut().for_each(|length| *length /= all);
        shares.insert((*name).to_owned(), lengths);
    }
    Linked { shares, data: owners_of_data(&module, &written) }
}

/// Where each instruction begins in the code section, and how long it is. An address or a number of
/// a function is counted as two bytes: the linker writes five, to have room.
fn instructions(body: &FunctionBody<'_>, code: &Section) -> Vec<(u32, u32)> {
    let reader = body.get_operators_reader().expect("a function");
    let starts = reader.into_iter_with_offsets().map(|it| code.within(it.expect("code").1));
    let mut starts: Vec<u32> = starts.collect();
    starts.push(code.within(body.range().end));
    let length = |pair: &[u32]| match pair[1] - pair[0] {
        room @ 6.. => room - 3,
        length => length,
    };
    starts.windows(2).map(|pair| (pair[0], length(pair))).collect()
}

/// Who wrote what, by the debug information.
struct Writers<'a>(Context<EndianSlice<'a, LittleEndian>>);

impl<'a> Writers<'a> {
    fn of(module: &Module<'a>) -> Writers<'a> {
        let section = |name: &str| module.debug.get(name).copied().unwrap_or_default();
        let dwarf =
            Dwarf::load(|id| Ok::<_, Error>(EndianSlice::new(section(id.name()), LittleEndian)));
        let context = dwarf.and_then(Context::from_dwarf).expect("debug information");
        Writers(context)
    }

    /// The innermost function that is somebody's, of those that were put into one another here.
    fn owner_at(&self, at: u32) -> Option<Owner> {
        let mut frames = self.0.find_frames(u64::from(at)).skip_all_loads().ok()?;
        while let Some(frame) = frames.next().ok()? {
            let owner = frame.function.and_then(|name| Owner::of(&name.raw_name().ok()?));
            if owner.is_some() {
                return owner;
            }
        }
        None
    }
}

/// Data belongs to whoever alone reaches it, straight from code or through other data.
fn owners_of_data(module: &Module<'_>, written: &BTreeMap<u32, Owner>) -> Vec<(Range<u32>, Owner)> {
    let mut reached: BTreeMap<u32, BTreeSet<Owner>> = BTreeMap::new();
    for (at, symbol) in &module.code_refers {
        let owner = written.range(..=at).next_back().map_or(Owner::Rest, |(_, it)| it.clone());
        reached.entry(*symbol).or_default().insert(owner);
    }
    let within = between_data(module);
    let mut open: Vec<u32> = reached.keys().copied().collect();
    while let Some(symbol) = open.pop() {
        let owners = reached.get(&symbol).cloned().unwrap_or_default();
        for next in within.get(&symbol).into_iter().flatten() {
            let known = reached.entry(*next).or_default();
            let before = known.len();
            known.extend(owners.iter().cloned());
            if known.len() > before {
                open.push(*next);
            }
        }
    }
    let range = |symbol: &u32| {
        let (segment, offset, size) = module.symbols.get(symbol)?;
        let start = module.segments.get(*segment as usize)?.0 + offset;
        Some(start..start + size)
    };
    reached.iter().filter_map(|(symbol, owners)| Some((range(symbol)?, one(owners)))).collect()
}

/// The one owner; what several parts of the rules share is still theirs.
fn one(owners: &BTreeSet<Owner>) -> Owner {
    let mut all = owners.iter();
    match (all.next(), all.next()) {
        (Some(only), None) => only.clone(),
        _ if owners.iter().all(Owner::is_of_core) => Owner::Core("(shared)".to_owned()),
        _ => Owner::Rest,
    }
}

/// Which data refers to which.
fn between_data(module: &Module<'_>) -> BTreeMap<u32, Vec<u32>> {
    let mut places: Vec<(u32, u32)> = vec![];
    for (symbol, (segment, offset, size)) in &module.symbols {
        if let Some((_, place)) = module.segments.get(*segment as usize)
            && *size > 0
        {
            places.push((place.start + offset, *symbol));
        }
    }
    places.sort_unstable();
    let mut found: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (at, symbol) in &module.data_refers {
        let holder = places.partition_point(|(start, _)| start <= at);
        if let Some((_, holder)) = holder.checked_sub(1).and_then(|it| places.get(it)) {
            found.entry(*holder).or_default().push(*symbol);
        }
    }
    found
}

fn parse(bytes: &[u8]) -> Module<'_> {
    let mut module = Module::default();
    let mut number = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.expect("a module");
        let is_section = payload.as_section().is_some();
        match payload {
            Payload::ImportSection(imports) => module.imported = imported_functions(imports),
            Payload::CodeSectionStart { unchecked_range, .. } => {
                module.code = Section { number, start: unchecked_range.start };
            }
            Payload::CodeSectionEntry(body) => module.bodies.push(body),
            Payload::DataSection(all) => {
                module.data = Section { number, start: all.range().start };
                for segment in all {
                    let segment = segment.expect("a segment");
                    let end = module.data.within(segment.range.end);
                    let place = end - segment.data.len() as u32..end;
                    module.segments.push((address(&segment.kind), place));
                }
            }
            Payload::CustomSection(custom) if custom.name().starts_with(".debug_") => {
                module.debug.insert(custom.name(), custom.data());
            }
            Payload::CustomSection(custom) => match custom.as_known() {
                KnownCustom::Linking(linking) => symbols(linking, &mut module),
                KnownCustom::Reloc(all) if all.section_index() == module.code.number => {
                    module.code_refers = to_data(all);
                }
                KnownCustom::Reloc(all) if all.section_index() == module.data.number => {
                    module.data_refers = to_data(all);
                }
                _ => {}
            },
            _ => {}
        }
        number += u32::from(is_section);
    }
    module
}

/// How many functions come from outside: they are numbered first.
pub(crate) fn imported_functions(imports: ImportSectionReader<'_>) -> u32 {
    let imports = imports.into_imports().map(|import| import.expect("an import"));
    imports.filter(|import| matches!(import.ty, TypeRef::Func(_))).count() as u32
}

/// Place and symbol of each reference to data.
fn to_data(all: RelocSectionReader<'_>) -> Vec<(u32, u32)> {
    let all = all.entries().into_iter().map(|entry| entry.expect("a relocation"));
    let to_data = all.filter(|entry| {
        use RelocationType::{MemoryAddrI32, MemoryAddrLeb, MemoryAddrSleb};
        matches!(entry.ty, MemoryAddrLeb | MemoryAddrSleb | MemoryAddrI32)
    });
    to_data.map(|entry| (entry.offset, entry.index)).collect()
}

fn symbols<'a>(linking: LinkingSectionReader<'a>, module: &mut Module<'a>) {
    let all = linking.into_iter().filter_map(|subsection| match subsection {
        Ok(Linking::SymbolTable(all)) => Some(all),
        _ => None,
    });
    for (number, symbol) in (0..).zip(all.flatten()) {
        match symbol.expect("a symbol") {
            SymbolInfo::Func { index, name: Some(name), .. } => {
                module.functions.insert(index, name);
            }
            SymbolInfo::Data { symbol: Some(it), .. } => {
                module.symbols.insert(number, (it.index, it.offset, it.size));
            }
            _ => {}
        }
    }
}
