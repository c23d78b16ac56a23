//! A side of a comparison: a process that is asked by a line of words and answers with the time it
//! took and a sum over what came out. Sides are asked in turns; equal words must bring equal sums.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::figure::median;
use crate::command::Cmd;
use crate::{Failure, Result, because};

/// How often each is asked the same. An odd number has a median that was measured.
pub(super) const ROUNDS: usize = 7;

/// A process that answers.
pub(super) struct Side {
    pub(super) name: &'static str,
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// How long it took, in seconds, and the sum.
pub(super) struct Answer {
    pub(super) seconds: f64,
    pub(super) sum: String,
}

impl Side {
    pub(super) fn start(name: &'static str, cmd: &Cmd) -> Result<Side> {
        let mut process = cmd
            .command()?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(because(cmd.to_string()))?;
        let none = || Failure::new(format!("{name}: no pipe"));
        let asks = process.stdin.take().ok_or_else(none)?;
        let answers = BufReader::new(process.stdout.take().ok_or_else(none)?);
        Ok(Side { name, process, asks, answers })
    }

    /// Asks once.
    pub(super) fn ask(&mut self, words: &str) -> Result<Answer> {
        let Self { name, asks, answers, .. } = self;
        let mut line = String::new();
        writeln!(asks, "{words}")
            .and_then(|()| asks.flush())
            .and_then(|()| answers.read_line(&mut line))
            .map_err(because(format!("asking {name}: {words}")))?;
        let answer = line.trim_end().split_once(' ').and_then(|(nanoseconds, sum)| {
            let nanoseconds: f64 = nanoseconds.parse().ok()?;
            Some(Answer { seconds: nanoseconds / 1e9, sum: sum.to_owned() })
        });
        answer.ok_or_else(|| Failure::new(format!("{name} did not answer: {words}")))
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Measures turns, each a side and its words: the times of each by round, in seconds, after a round
/// that does not count. Where `alike`, all sums must be the same.
pub(super) fn in_turns(
    sides: &mut [&mut Side],
    turns: &[(usize, &str)],
    alike: bool,
) -> Result<Vec<Vec<f64>>> {
    let mut times = vec![vec![]; turns.len()];
    for round in 0..=ROUNDS {
        let mut known: Option<String> = None;
        for ((side, words), times) in turns.iter().zip(&mut times) {
            let side = &mut sides[*side];
            let answer = side.ask(words)?;
            if round > 0 {
                times.push(answer.seconds);
            }
            let known = known.get_or_insert_with(|| answer.sum.clone());
            if alike && *known != answer.sum {
                return Err(Failure::new(format!("{} differs: {words}", side.name)));
            }
        }
    }
    Ok(times)
}

/// The middle of the ratios, each within its round.
pub(super) fn ratio(of: &[f64], to: &[f64]) -> f64 {
    let ratios: Vec<f64> = of.iter().zip(to).map(|(of, to)| of / to).collect();
    median(&ratios)
}
