//! What each part of the rules costs in the app's module, compressed as it is sent.
//!
//! Two files of one build are read: LINKED, as the linker left it, with debug information and
//! relocations, and SHIPPED, the same after wasm-bindgen and wasm-opt, with names kept. LINKED says
//! of each instruction in which function it was written, wherever the compiler has put it since,
//! and which data it uses (`linked`); a function's name tells to whom it belongs (`owner`); data is
//! somebody's when nobody else reaches it. SHIPPED says how long each function came out and where
//! the data lies (`shipped`): a function is shared out as its instructions were.
//!
//! The compressed size follows from two cuts: the module without the functions that are the rules'
//! own almost wholly, and without their data. What each cut saves gives the rate for the rest.

mod linked;
mod owner;
mod shipped;

use owner::Owner;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;

/// A function of which this share is the rules' own is cut out whole for the rate.
const ALMOST_WHOLLY: f64 = 0.9;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["strip", linked, plain] => strip(linked, plain),
        ["weigh", linked, shipped] => weigh(linked, shipped),
        _ => panic!("parts strip LINKED PLAIN, or parts weigh LINKED SHIPPED"),
    }
}

fn read(path: &str) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Takes out what only this program reads: wasm-bindgen and wasm-opt would not keep it true.
fn strip(linked: &str, plain: &str) {
    let only_ours =
        |name: &str| name == "linking" || name.starts_with("reloc.") || name.starts_with(".debug_");
    let rest = shipped::without_custom(&read(linked), only_ours);
    fs::write(plain, rest).unwrap_or_else(|error| panic!("{plain}: {error}"));
}

/// Bytes of code and of data.
type Bytes = [f64; 2];

/// Prints the table; every line ends with the compressed size, in bytes.
fn weigh(linked: &str, shipped: &str) {
    let linked = linked::read(&read(linked));
    let shipped = shipped::read(&read(shipped));
    let mut table: BTreeMap<Owner, Bytes> = BTreeMap::new();
    let mut own_code = vec![];
    for (name, range) in &shipped.functions {
        let Some(shares) = linked.shares.get(name) else { continue };
        let of_core = shares.iter().filter(|(owner, _)| owner.is_of_core());
        if of_core.map(|(_, share)| share).sum::<f64>() >= ALMOST_WHOLLY {
            own_code.push(range.clone());
        }
        for (owner, share) in shares {
            table.entry(owner.clone()).or_default()[0] += share * range.len() as f64;
        }
    }
    let mut own_data = vec![];
    for (addresses, owner) in &linked.data {
        for range in shipped.places(addresses) {
            table.entry(owner.clone()).or_default()[1] += range.len() as f64;
            if owner.is_of_core() {
                own_data.push(range);
            }
        }
    }
    let whole = compressed(&shipped.file);
    let rate = |cut: Vec<Range<usize>>| {
        let rest = without(&shipped.file, cut);
        (whole - compressed(&rest)) as f64 / (shipped.file.len() - rest.len()) as f64
    };
    let rates = [rate(own_code), rate(own_data)];
    print(&table, rates, shipped.file.len(), whole);
}

fn print(table: &BTreeMap<Owner, Bytes>, rates: Bytes, length: usize, whole: usize) {
    let cost = |bytes: &Bytes| bytes[0] * rates[0] + bytes[1] * rates[1];
    let line = |name: String, [code, data]: &Bytes, cost: f64| {
        println!("{name:<26} {code:>8.0} {data:>8.0} {cost:>8.0}");
    };
    let sum = |wanted: fn(&Owner) -> bool| {
        let wanted = table.iter().filter(|(owner, _)| wanted(owner));
        wanted.fold([0.0, 0.0], |[a, b], (_, [c, d])| [a + c, b + d])
    };
    println!("{:<26} {:>8} {:>8} {:>8}", "part, in bytes", "code", "data", "brotli");
    let mut parts: Vec<_> = table.iter().filter(|(owner, _)| owner.is_of_core()).collect();
    parts.sort_by(|(_, a), (_, b)| cost(b).total_cmp(&cost(a)));
    for (owner, bytes) in parts {
        line(owner.to_string(), bytes, cost(bytes));
    }
    println!("{:<26} {length:>8} {:>8} {whole:>8}", "the whole module", "");
    for (name, wanted) in [
        ("crates that it brings", Owner::is_brought as fn(&Owner) -> bool),
        ("core itself", Owner::is_core),
        ("core and what it brings", Owner::is_of_core),
    ] {
        let bytes = sum(wanted);
        line(name.to_owned(), &bytes, cost(&bytes));
    }
}

/// The file without these ranges.
fn without(file: &[u8], mut cut: Vec<Range<usize>>) -> Vec<u8> {
    cut.sort_unstable_by_key(|range| range.start);
    let mut rest = vec![];
    let mut at = 0;
    for range in cut {
        // Why: the linker lets data overlap.
        rest.extend_from_slice(&file[at..range.start.max(at)]);
        at = at.max(range.end);
    }
    rest.extend_from_slice(&file[at..]);
    rest
}

/// How long it is as it is sent.
fn compressed(bytes: &[u8]) -> usize {
    let best = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    let mut small = vec![];
    brotli::BrotliCompress(&mut &bytes[..], &mut small, &best).expect("memory");
    small.len()
}
