//! What was known of lines when their usage was last counted, so that the next group need not read
//! it again: keys, balance, and everything that a look asks for.
//!
//! It is a copy and never the truth. Nothing of a line changes but in a transaction that counts up
//! the line's version or its account's, so a copy is good exactly while the versions in the
//! database are the ones it was made with, which each group asks under the lines' locks. What
//! depends on the time has an end, and what belongs to no account has a number of its own in
//! `settings`. Where the database may have become another, as after a failover, versions say
//! nothing and all is forgotten; see `Store::epoch`.

use crate::{
    flow::{evaluate::Looked, inputs::Inputs},
    store::{lines::Line, looks::Last, recharges, settings::Shared as Everywhere},
};
use laika_core::{balance::Balance, retry::DECLINES_COUNT_FOR, time::Instant};
use std::collections::HashMap;

/// Lines known at most, each with a few kilobytes.
const MOST: usize = 20_000;

/// What is known of a line.
#[derive(Debug)]
pub(super) struct Known {
    /// The line as the last group left it.
    pub(super) line: Line,
    /// What it has then.
    pub(super) balance: Balance,
    /// What its rule is decided from; nothing where it has no rule.
    pub(super) rule: Option<Rule>,
}

/// What is known of a line's rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// For `decide`; without the balance, which stands beside it.
    pub(super) inputs: Box<Inputs>,
    /// The latest look.
    pub(super) last: Option<Last>,
    /// A job looks at it then, or earlier.
    pub(super) looked_at_next: Instant,
    /// The number of the read that the account's facts come from.
    pub(super) since: u64,
    /// What every account shares.
    pub(super) everywhere: Everywhere,
    /// From then on something that is known may be too old to count.
    pub(super) until: Instant,
}

impl Rule {
    /// What a look leaves to know; nothing when it found something to do.
    pub(super) fn of(looked: Looked, since: u64, everywhere: Everywhere) -> Option<Rule> {
        let Looked { inputs, last, quiet, looked_at_next } = looked;
        let until = counts_until(&inputs);
        let rule = Rule { inputs, last, looked_at_next, since, everywhere, until };
        quiet.then_some(rule)
    }
}

/// The first instant at which a decline or a recharge that is known counts no more.
fn counts_until(inputs: &Inputs) -> Instant {
    let methods = inputs.account.payment_methods.iter();
    let declines = methods.flat_map(|it| &it.declined_at).map(|at| at.plus(DECLINES_COUNT_FOR));
    let past = inputs.history.recharges.iter();
    let recharges = past.map(|it| it.opened_at.max(it.reserved_at).plus(recharges::PAST));
    declines.chain(recharges).min().unwrap_or(Instant::MAX)
}

/// The accounts' versions as groups left them, and the lines.
#[derive(Debug, Default)]
pub(super) struct Memory {
    lines: Halves<Known>,
    accounts: Halves<(i64, u64)>,
    reads: u64,
    /// The store's, of which it is a copy.
    epoch: u64,
}

impl Memory {
    /// Forgets everything where it is of another epoch than this.
    pub(super) fn of(&mut self, epoch: u64) -> &mut Memory {
        if self.epoch != epoch {
            // Why the number of reads goes on: none may come again.
            *self = Memory { epoch, reads: self.reads, ..Memory::default() };
        }
        self
    }

    /// Account and id of a line, which never change.
    pub(super) fn key(&self, iccid: &str) -> Option<(String, String)> {
        let line = &self.lines.get(iccid)?.line;
        Some((line.account_id.to_string(), line.id.to_string()))
    }

    /// Takes what is known of a line: whoever changes it puts it back after the commit.
    pub(super) fn take(&mut self, iccid: &str) -> Option<Known> {
        self.lines.take(iccid)
    }

    /// Keeps what is known of a line.
    pub(super) fn put(&mut self, known: Known) {
        self.lines.put(known.line.iccid.clone(), known);
    }

    /// The version in which a group left an account, and the read since which its facts stand:
    /// groups change none of them, and everything that does counts the version up besides.
    pub(super) fn account(&self, account: &str) -> Option<(i64, u64)> {
        self.accounts.get(account).copied()
    }

    /// A number for facts that are read now.
    pub(super) fn read(&mut self) -> u64 {
        self.reads += 1;
        self.reads
    }

    /// Keeps the version in which a group left an account.
    pub(super) fn left(&mut self, account: String, version: i64, since: u64) {
        self.accounts.put(account, (version, since));
    }
}

/// A map that forgets what was not used for long: when the young half is full it becomes the old
/// one, and what nobody asked for again goes with the one before.
#[derive(Debug)]
struct Halves<T> {
    young: HashMap<String, T>,
    old: HashMap<String, T>,
}

impl<T> Default for Halves<T> {
    fn default() -> Halves<T> {
        Halves { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<T> Halves<T> {
    fn get(&self, key: &str) -> Option<&T> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    fn take(&mut self, key: &str) -> Option<T> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    fn put(&mut self, key: String, value: T) {
        if self.young.len() >= MOST / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::{Halves, MOST};

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut map = Halves::default();
        map.put("used".into(), 0);
        for number in 0..3 * MOST {
            map.put(format!("{number}"), number);
            let used = map.take("used").expect("used all along");
            map.put("used".into(), used);
            assert!(map.young.len() + map.old.len() <= MOST + 1);
        }
        assert!(map.get("0").is_none() && map.get("used").is_some());
    }
}
