//! The native side: a line of words in, a line with the nanoseconds it took and the sum out.

use std::io::{BufRead, Write};
use std::time::Instant;

fn main() {
    let mut out = std::io::stdout();
    for words in std::io::stdin().lock().lines() {
        let words = words.expect("a line of words");
        let start = Instant::now();
        let answer = laika_bench::answer(&words);
        let took = start.elapsed().as_nanos();
        writeln!(out, "{took} {answer}").and_then(|()| out.flush()).expect("somebody reads");
    }
}
