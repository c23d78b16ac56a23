//! Hostile input: whatever is typed and whatever JSON is read, the rules answer, and what they
//! answer keeps to what they promise. Each target makes something of any bytes and asserts what
//! must hold of it. `cargo xtask fuzz` has the bytes written by a search that follows coverage;
//! what that kept, one input a line in hexadecimal, is asked again in every run of the tests.

mod edits;
mod money;
mod read;
mod typed;

/// A name and what is asserted of any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, one for each way in.
pub const TARGETS: [Target; 9] = [
    ("typed", typed::text),
    ("draft", typed::draft),
    ("json", read::json),
    ("receipt", read::receipt),
    ("schedule", read::schedule),
    ("decide", read::decision),
    ("preview", read::preview_of_anything),
    ("recharge", money::recharge),
    ("reconcile", money::reconciliation),
];

/// What is kept of a target: each line an input.
#[cfg(not(target_arch = "wasm32"))]
fn kept(name: &str) -> Vec<Vec<u8>> {
    let file = format!("{}/tests/fuzz/{name}.corpus", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).expect("a corpus");
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(pair, 16).expect("hexadecimal")
    };
    text.lines().map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect()
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn what_the_search_kept_keeps_to_the_rules() {
    for (name, target) in TARGETS {
        let inputs = kept(name);
        assert!(inputs.len() > 20, "{name}: {} inputs", inputs.len());
        for input in inputs {
            if std::panic::catch_unwind(|| target(&input)).is_err() {
                panic!(
                    "{name}, by {}",
                    input.iter().map(|b| format!("{b:02x}")).collect::<String>()
                );
            }
        }
    }
}
