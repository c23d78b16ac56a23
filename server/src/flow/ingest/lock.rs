//! A group's lines under their locks, with what each has and what its rule is decided from: from
//! memory where the database says that it still stands so, otherwise read.

use super::{
    group::{Batch, New, OfLine},
    known::{Known, Rule},
};
use crate::{
    Shared,
    error::{Error, Result},
    flow::{
        evaluate::{Looked, Subject},
        inputs::{self, Asked},
    },
    store::{Tx, balances, group, lines::Line, looks::Last, rules, settings},
};
use laika_core::{balance::Balance, time::Instant, zone::Zone};
use std::collections::{BTreeMap, HashMap};

/// What is known of a line's rule when it is locked.
enum Of {
    /// Everything, as it stands.
    Rule(Rule),
    /// There is none.
    NoRule,
    /// Nothing but the latest look: the rest is to be read.
    Unread(Option<Last>),
}

/// The locked lines of a group; the lists are in one order.
pub(super) struct Locked<'a> {
    pub(super) batches: Vec<Batch<'a>>,
    /// What each line has before.
    pub(super) balances: Vec<Balance>,
    of: Vec<Of>,
    /// Each account's version before, and since which read its facts stand.
    accounts: BTreeMap<String, (i64, u64)>,
    everywhere: settings::Shared,
    /// The store's when the transaction was about to begin.
    epoch: u64,
}

/// Locks the lines of new events, in a transaction that was begun in an epoch of the store or after
/// it.
pub(super) async fn lock<'a>(
    app: &Shared,
    tx: &mut Tx,
    new: New<'a>,
    epoch: u64,
) -> Result<Locked<'a>> {
    let keys: Vec<_> = new.iter().map(|of| (of.key.0.as_str(), of.key.1.as_str())).collect();
    let mut accounts: Vec<[&str; 1]> = keys.iter().map(|(account, _)| [*account]).collect();
    accounts.dedup();
    group::lock(tx, app.store.dialect, &keys, &accounts).await?;
    let (known, mut accounts) = still_known(app, tx, &new).await?;
    let unknown: Vec<_> = keys.iter().zip(&known).filter(|(_, known)| known.is_none()).collect();
    let unknown: Vec<_> = unknown.into_iter().map(|(key, _)| *key).collect();
    let mut read = HashMap::with_capacity(unknown.len());
    if !unknown.is_empty() {
        for (line, version, last) in group::read(tx, &unknown).await? {
            let account = line.account_id.to_string();
            let stands = accounts.get(&account).is_some_and(|left| left.0 == version);
            if !stands {
                accounts.insert(account, (version, app.usage.known().read()));
            }
            read.insert(line.id.to_string(), (line, last));
        }
    }
    let everywhere = settings::shared(tx).await?;
    let now = app.clock.now();
    let (mut batches, mut of, mut balances) = (vec![], vec![], vec![]);
    for (of_line, known) in new.into_iter().zip(known) {
        let (account, id) = &of_line.key;
        let (line, balance, rule) = match known {
            Some(Known { line, balance, rule }) => {
                let now = line.newest_at.max(now);
                let stands = |rule: &Rule| {
                    accounts.get(account).is_some_and(|it| it.1 == rule.since)
                        && rule.everywhere == everywhere
                        && now < rule.until
                };
                let rule = match rule {
                    None => Of::NoRule,
                    Some(rule) if stands(&rule) => Of::Rule(rule),
                    Some(rule) => Of::Unread(rule.last),
                };
                (line, Some(balance), rule)
            }
            None => {
                let missing = || Error::internal("a line went away");
                let (line, last) = read.remove(id).ok_or_else(missing)?;
                (line, None, Of::Unread(last))
            }
        };
        batches.push(batch(line, now, of_line));
        balances.push(balance);
        of.push(rule);
    }
    let balances = with_read(tx, &batches, balances).await?;
    Ok(Locked { batches, balances, of, accounts, everywhere, epoch })
}

/// What is known of each line and is still so, and the accounts as groups left them: a version that
/// is not the database's any more is found with the first line that needs it.
async fn still_known(
    app: &Shared,
    tx: &mut Tx,
    new: &New<'_>,
) -> Result<(Vec<Option<Known>>, BTreeMap<String, (i64, u64)>)> {
    let mut known: Vec<Option<Known>> = Vec::with_capacity(new.len());
    let mut accounts = BTreeMap::new();
    {
        let mut known_now = app.usage.known();
        // Why now: the transaction's connection is counted by now, if it is a new one.
        let memory = known_now.of(app.store.epoch());
        for of_line in new {
            let (account, _) = &of_line.key;
            known.push(memory.take(of_line.iccid));
            if let Some(left) = memory.account(account) {
                accounts.insert(account.clone(), left);
            }
        }
    }
    let places: Vec<usize> =
        (0..known.len()).filter(|at| known.get(*at).is_some_and(Option::is_some)).collect();
    let expected: Vec<group::Expected<'_>> = known
        .iter()
        .flatten()
        .map(|Known { line, rule, .. }| {
            let account = line.account_id.as_str();
            // Why: without a rule nothing of the account decides about the line.
            let left = rule.as_ref().and_then(|_| accounts.get(account)).map(|left| left.0);
            (account, line.id.as_str(), line.version, left)
        })
        .collect();
    let moved = if expected.is_empty() { vec![] } else { group::moved(tx, &expected).await? };
    for at in moved {
        if let Some(line) = places.get(at).and_then(|place| known.get_mut(*place)) {
            *line = None;
        }
    }
    Ok((known, accounts))
}

/// A line with the version that this transaction makes, in which its events are received.
fn batch<'a>(mut line: Line, now: Instant, of_line: OfLine<'a>) -> Batch<'a> {
    line.version += 1;
    line.newest_at = line.newest_at.max(now);
    let OfLine { mut events, countries, .. } = of_line;
    events.iter_mut().for_each(|event| event.received_version = line.version);
    Batch { line, events, countries }
}

/// Reads the balances that are not known.
async fn with_read(
    tx: &mut Tx,
    batches: &[Batch<'_>],
    balances: Vec<Option<Balance>>,
) -> Result<Vec<Balance>> {
    let each = batches.iter().zip(&balances);
    let unread: Vec<&Line> =
        each.filter(|(_, balance)| balance.is_none()).map(|(batch, _)| &batch.line).collect();
    let read = if unread.is_empty() { vec![] } else { balances::load_all(tx, &unread).await? };
    let mut read = read.into_iter();
    let all: Option<Vec<Balance>> =
        balances.into_iter().map(|balance| balance.or_else(|| read.next())).collect();
    all.ok_or_else(|| Error::internal("a line without a balance"))
}

impl Locked<'_> {
    /// The lines that have a rule, to be looked at with what they have now. Takes the balance of
    /// each from the list.
    pub(super) async fn subjects(
        &mut self,
        tx: &mut Tx,
        after: &mut [Balance],
    ) -> Result<(Vec<usize>, Vec<Subject<'_>>)> {
        let (mut at, mut subjects, mut unread) = (vec![], vec![], vec![]);
        let mut zones: HashMap<(String, Instant), Zone> = HashMap::new();
        for (place, (batch, of)) in self.batches.iter().zip(&mut self.of).enumerate() {
            let line = &batch.line;
            match std::mem::replace(of, Of::NoRule) {
                Of::NoRule => {}
                Of::Unread(last) => unread.push((place, line, last)),
                Of::Rule(rule) => {
                    let Rule { mut inputs, last, looked_at_next, .. } = rule;
                    let zone = zones.entry((inputs.owner.time_zone.clone(), line.newest_at));
                    let zone = match zone {
                        std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                        std::collections::hash_map::Entry::Vacant(new) => {
                            new.insert(inputs::zone(&inputs.owner, line.newest_at)?)
                        }
                    };
                    if *zone != inputs.account.zone {
                        unread.push((place, line, last));
                        continue;
                    }
                    let Some(balance) = after.get_mut(place).map(std::mem::take) else { continue };
                    inputs.stand_at(balance, line.newest_at);
                    at.push(place);
                    let looked_at_next = Some(looked_at_next);
                    let (same, seen_kept) = (true, true);
                    subjects.push(Subject { line, inputs, last, same, seen_kept, looked_at_next });
                }
            }
        }
        let lines: Vec<&Line> = unread.iter().map(|(_, line, _)| *line).collect();
        let stored = if lines.is_empty() { vec![] } else { rules::get_all(tx, &lines).await? };
        let (mut asked, mut of) = (vec![], vec![]);
        for ((place, line, last), stored) in unread.into_iter().zip(stored) {
            if stored.is_some()
                && let Some(balance) = after.get_mut(place).map(std::mem::take)
            {
                asked.push(Asked { line, balance, stored, now: line.newest_at });
                of.push((place, line, last));
            }
        }
        let read = if asked.is_empty() { vec![] } else { inputs::load_all(tx, asked).await? };
        for ((place, line, last), inputs) in of.into_iter().zip(read) {
            at.push(place);
            let (inputs, same, seen_kept, looked_at_next) = (Box::new(inputs), false, true, None);
            subjects.push(Subject { line, inputs, last, same, seen_kept, looked_at_next });
        }
        Ok((at, subjects))
    }

    /// Remembers the lines as the committed transaction left them, where no connection was made
    /// since it was about to begin: otherwise they may be another database's.
    pub(super) fn remember(
        self,
        app: &Shared,
        looked: Vec<(usize, Option<Looked>)>,
        after: Vec<Balance>,
    ) {
        let mut rules: HashMap<usize, Option<Looked>> = looked.into_iter().collect();
        let mut known = app.usage.known();
        let epoch = app.store.epoch();
        if epoch != self.epoch {
            return;
        }
        let memory = known.of(epoch);
        for (place, (batch, mut balance)) in self.batches.into_iter().zip(after).enumerate() {
            let line = batch.line;
            let rule = match rules.remove(&place).flatten() {
                None => None,
                Some(mut looked) => {
                    balance = std::mem::take(&mut looked.inputs.balance);
                    let account = self.accounts.get(line.account_id.as_str());
                    let since = account.map_or(0, |account| account.1);
                    match Rule::of(looked, since, self.everywhere) {
                        Some(rule) => Some(rule),
                        // Why: it did something to the line that is not in what is known.
                        None => continue,
                    }
                }
            };
            memory.put(Known { line, balance, rule });
        }
        for (account, (version, since)) in self.accounts {
            memory.left(account, version + 1, since);
        }
    }
}
