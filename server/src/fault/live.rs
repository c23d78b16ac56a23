//! Points that can be died at: in a process of its own by its environment, in a test by whoever
//! began a simulated process on this thread.

use super::{Kept, Point, Result};
use crate::error::Error;
use std::{
    cell::RefCell,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

/// What becomes of this process at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It ends, as by `kill -9`.
    Dies,
    /// It stops with all that it holds, as after SIGSTOP, until somebody sends SIGCONT.
    StandsStill,
}

impl Fate {
    /// Both.
    pub const ALL: [Fate; 2] = [Fate::Dies, Fate::StandsStill];

    /// The variable that names the point.
    pub fn variable(self) -> &'static str {
        match self {
            Fate::Dies => "LAIKA_CRASH_AT",
            Fate::StandsStill => "LAIKA_STOP_AT",
        }
    }
}

/// What becomes of this process, and where.
static ARMED: OnceLock<Armed> = OnceLock::new();

struct Armed {
    point: String,
    /// How often it is still passed.
    left: AtomicU32,
    fate: Fate,
}

thread_local! {
    /// The simulated process of this thread.
    static LIFE: RefCell<Option<Life>> = const { RefCell::new(None) };
}

/// A simulated process.
struct Life {
    dies: Box<dyn FnMut(&str) -> bool>,
    died_at: Option<String>,
}

/// Every point there is, by name.
pub fn names() -> Vec<String> {
    let kept = Kept::ALL.iter().flat_map(|kept| {
        let name = kept.name();
        [format!("{name}.before"), format!("{name}.after")]
    });
    kept.chain(Point::ALL.iter().map(|point| point.name().to_string())).collect()
}

/// Has this process die or stand still at a point: `NAME`, or `NAME:3` for the third time.
/// *Errors*: there is no such point, in words that name all there are.
pub fn arm(fate: Fate, text: &str) -> Result<(), String> {
    let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
    let nth = nth.parse().ok().filter(|nth| *nth > 0);
    let nth = nth.ok_or_else(|| format!("\"{text}\" is not NAME or NAME:NTH"))?;
    if !names().iter().any(|known| known == name) {
        return Err(format!("there is no point \"{name}\"; there are {}", names().join(" ")));
    }
    // Why no error: a command that reads its configuration twice counts on.
    let _ = ARMED.set(Armed { point: name.to_string(), left: AtomicU32::new(nth), fate });
    Ok(())
}

/// Begins a simulated process on this thread, in place of the one before. `dies` is asked at every
/// point, by name. All of it has to run on this thread: a runtime of its own, not several workers.
pub fn begin(dies: impl FnMut(&str) -> bool + 'static) {
    let life = Life { dies: Box::new(dies), died_at: None };
    LIFE.with(|now| *now.borrow_mut() = Some(life));
}

/// Where the simulated process of this thread died, if it did.
pub fn died_at() -> Option<String> {
    LIFE.with(|now| now.borrow().as_ref().and_then(|life| life.died_at.clone()))
}

/// Ends the simulated process: nothing dies on this thread any more.
pub fn end() {
    LIFE.with(|now| *now.borrow_mut() = None);
}

/// A point between two transactions, or within one.
pub fn at(point: Point) -> Result<()> {
    pass(|| point.name().to_string())
}

/// Everything is written, and nothing of it is durable.
pub fn before(kept: Kept) -> Result<()> {
    pass(|| format!("{}.before", kept.name()))
}

/// Everything is durable, and nobody knows it.
pub fn after(kept: Kept) -> Result<()> {
    pass(|| format!("{}.after", kept.name()))
}

/// *Errors*: the simulated process of this thread is dead.
pub fn alive() -> Result<()> {
    died_at().map_or(Ok(()), |name| Err(dead(&name)))
}

fn dead(name: &str) -> Error {
    Error::internal(format!("the process died at {name}"))
}

fn meet(fate: Fate, name: &str) {
    match fate {
        Fate::Dies => {
            eprintln!("faults: the process dies at {name}");
            std::process::abort();
        }
        Fate::StandsStill => {
            eprintln!("faults: the process stands still at {name}");
            stand_still();
            eprintln!("faults: the process goes on from {name}");
        }
    }
}

/// Why not `kill` from outside: that stops whichever thread hears it first, and this one goes on
/// until then.
#[cfg(feature = "faults")]
fn stand_still() {
    let raised = nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP);
    assert_eq!(raised, Ok(()), "SIGSTOP");
}

/// Why nothing: only the program with crash points is told to.
#[cfg(not(feature = "faults"))]
fn stand_still() {}

fn pass(name: impl FnOnce() -> String) -> Result<()> {
    alive()?;
    let name = name();
    if let Some(armed) = ARMED.get()
        && armed.point == name
        && armed.left.fetch_sub(1, SeqCst) == 1
    {
        meet(armed.fate, &name);
    }
    LIFE.with(|now| {
        let mut now = now.borrow_mut();
        let Some(life) = now.as_mut() else { return Ok(()) };
        if !(life.dies)(&name) {
            return Ok(());
        }
        life.died_at = Some(name.clone());
        Err(dead(&name))
    })
}

#[cfg(test)]
mod tests;
