//! Breadth first through every world that can come about, so that the first trace to a broken law
//! is a shortest one; then backwards from rest, to see that every world can come to it.

use super::laws::{at_rest, broken, unfair};
use super::moves::{Move, moves};
use super::world::{Left, World};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;

/// What a search found.
pub(super) struct Found {
    states: usize,
    transitions: usize,
    at_rest: usize,
    depth: usize,
    /// A broken law, and the shortest way to it, in lines.
    pub broken: Option<(String, String)>,
}

/// All that is kept of a world once its successors are known.
struct Visited {
    parent: u32,
    by: Move,
    depth: u16,
}

struct Search {
    start: World,
    visited: Vec<Visited>,
    /// Steps of the server's own, from and to.
    progress: Vec<(u32, u32)>,
    rest: Vec<u32>,
    transitions: usize,
}

/// Visits every world.
pub(super) fn search(left: Left) -> Found {
    let start = World::start(left);
    let first = Visited { parent: 0, by: Move::Wait, depth: 0 };
    let mut search = Search {
        visited: vec![first],
        progress: Vec::new(),
        rest: Vec::new(),
        transitions: 0,
        start: start.clone(),
    };
    let mut known = HashMap::from([(start.key(), 0_u32)]);
    let mut queue = VecDeque::from([(0_u32, start)]);
    while let Some((at, world)) = queue.pop_front() {
        if at_rest(&world) {
            search.rest.push(at);
            if let Some(law) = unfair(&world) {
                return search.found(Some((at, None, law)));
            }
        }
        let depth = search.visited[at as usize].depth + 1;
        for (by, after) in moves(&world) {
            search.transitions += 1;
            let Some(after) = after else { continue };
            if let Some(law) = broken(&world, &after) {
                return search.found(Some((at, Some(by), law)));
            }
            let new = u32::try_from(search.visited.len()).expect("worlds fit into 32 bits");
            let to = *known.entry(after.key()).or_insert(new);
            if to == new {
                search.visited.push(Visited { parent: at, by, depth });
                queue.push_back((new, after));
            }
            if by.is_progress() && to != at {
                search.progress.push((at, to));
            }
        }
    }
    let law = "stuck: left alone, it never comes to rest";
    let stuck = search.never_at_rest();
    search.found(stuck.map(|at| (at, None, law.to_owned())))
}

/// Whether keys leave out too much: visits every world, by all that it is, and compares what can
/// follow from those of one key. Gives the worlds, the keys, and a world with another future.
pub(super) fn two_futures(left: Left) -> (usize, usize, Option<String>) {
    let start = World::start(left);
    let mut known = HashSet::from([start.whole_key()]);
    let mut futures: HashMap<u128, Vec<u128>> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(world) = queue.pop_front() {
        let mut future = vec![u128::from(at_rest(&world))];
        for (_, after) in moves(&world) {
            let Some(after) = after else { continue };
            future.push(after.key());
            if known.insert(after.whole_key()) {
                queue.push_back(after);
            }
        }
        future.sort_unstable();
        future.dedup();
        if *futures.entry(world.key()).or_insert_with(|| future.clone()) != future {
            return (known.len(), futures.len(), Some(world.summary()));
        }
    }
    (known.len(), futures.len(), None)
}

impl Search {
    /// The first world from which the server alone never comes to rest.
    fn never_at_rest(&self) -> Option<u32> {
        let count = self.visited.len();
        let mut starts = vec![0_u32; count + 1];
        self.progress.iter().for_each(|(_, to)| starts[*to as usize + 1] += 1);
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        let (mut from, mut fill) = (vec![0_u32; self.progress.len()], starts.clone());
        for (a, b) in &self.progress {
            from[fill[*b as usize] as usize] = *a;
            fill[*b as usize] += 1;
        }
        let mut rests = vec![false; count];
        let mut open = self.rest.clone();
        open.iter().for_each(|at| rests[*at as usize] = true);
        while let Some(at) = open.pop() {
            let range = starts[at as usize] as usize..starts[at as usize + 1] as usize;
            for before in &from[range] {
                if !std::mem::replace(&mut rests[*before as usize], true) {
                    open.push(*before);
                }
            }
        }
        let stuck = rests.iter().position(|rests| !rests)?;
        Some(u32::try_from(stuck).expect("worlds fit into 32 bits"))
    }

    fn found(&self, broken: Option<(u32, Option<Move>, String)>) -> Found {
        Found {
            states: self.visited.len(),
            transitions: self.transitions,
            at_rest: self.rest.len(),
            depth: self.visited.last().map_or(0, |last| usize::from(last.depth)),
            broken: broken.map(|(at, by, law)| (law, self.trace(at, by))),
        }
    }

    /// The shortest way to a world and one move more, made again from the start.
    fn trace(&self, mut at: u32, last: Option<Move>) -> String {
        let mut way: Vec<Move> = last.into_iter().collect();
        while at != 0 {
            way.push(self.visited[at as usize].by);
            at = self.visited[at as usize].parent;
        }
        way.reverse();
        let mut world = self.start.clone();
        let mut lines = vec![format!("after {} moves:", way.len())];
        for by in way {
            let mut all = moves(&world).into_iter();
            let same = all.find(|(other, _)| *other == by);
            world = same.and_then(|(_, after)| after).expect("the same moves again");
            lines.push(format!("  {}  {by:60} {}", world.now, world.summary()));
        }
        lines.join("\n")
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { states, transitions, at_rest, depth, .. } = self;
        write!(f, "{states} worlds, {transitions} moves, {at_rest} at rest, depth {depth}")
    }
}

impl World {
    /// What a reader of a trace wants to see.
    fn summary(&self) -> String {
        let mut words = Vec::new();
        for (place, recharge) in self.recharges.iter().enumerate() {
            words.push(format!("r{} {:?}", place + 1, recharge.status));
        }
        words.push(format!("{} GB", self.balance.available(self.now).get() / 1_000_000_000));
        if self.suspended.is_some() {
            words.push("suspended".to_owned());
        }
        let jobs: Vec<String> = self.jobs.keys().map(|work| format!("{work:?}")).collect();
        words.push(format!("[{}]", jobs.join(" ")));
        for busy in self.workers.iter().flatten() {
            words.push(format!("{{{:?} {:?}}}", busy.work, busy.stage));
        }
        words.join(", ")
    }
}
