//! The carrier's feed: sends usage for ever, again until it is acknowledged, now and then twice.
//!
//! It remembers what was acknowledged, and nothing else: that is all a carrier knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use laika_tests::support::http::Answer;
use laika_tests::support::random::Random;
use laika_tests::support::usage;
use serde_json::{Value, json};

/// One event's most, so that a line needs a recharge every few lives of the server.
const BYTES_MOST: u64 = 20_000_000;

/// What every feeder of a run shares.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// No new batch; the present one is still sent until it is acknowledged.
    finish: AtomicBool,
    /// The test has failed: nothing is sent any more.
    abandon: AtomicBool,
    /// Batches acknowledged so far.
    acknowledged: AtomicU64,
    /// Batches that were sent and not acknowledged, so far.
    unheard: AtomicU64,
    /// Bytes acknowledged so far, by card number.
    used: Mutex<BTreeMap<String, u64>>,
    /// Every way in which a batch was turned away: status, code, and when to send it again.
    refused: Mutex<BTreeSet<(u16, String, bool)>>,
}

impl Feed {
    /// Sends a batch until it is acknowledged.
    pub(super) fn send(&self, origin: &str, batch: &[Value]) {
        while !self.abandon.load(Ordering::Relaxed) {
            match usage::batch(origin, batch).send() {
                Ok(answer) if answer.status == 200 => {
                    assert_eq!(answer.json()["rejected"], json!([]), "{}", answer.text());
                    return self.count(batch);
                }
                Ok(answer) => self.refuse(&answer),
                Err(_) => {}
            }
            self.unheard.fetch_add(1, Ordering::Relaxed);
            // The server is dead or busy starting; it will be back.
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Remembers that a batch was acknowledged.
    pub(super) fn count(&self, batch: &[Value]) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for event in batch {
            let iccid = event["subject"].as_str().unwrap_or_default().to_owned();
            *used.entry(iccid).or_default() += event["data"]["bytes"].as_u64().unwrap_or_default();
        }
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    fn refuse(&self, answer: &Answer) {
        assert!(answer.status >= 500, "{}", answer.text());
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert((answer.status, code, answer.header("retry-after").is_some()));
    }

    /// Every way in which a batch was turned away so far: status, code, and whether it says when to
    /// send it again.
    pub(super) fn refused(&self) -> BTreeSet<(u16, String, bool)> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Batches acknowledged so far.
    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// How often a batch was sent and not acknowledged.
    pub(super) fn unheard(&self) -> u64 {
        self.unheard.load(Ordering::Relaxed)
    }

    /// What was acknowledged for a line.
    pub(super) fn used(&self, iccid: &str) -> u64 {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.get(iccid).copied().unwrap_or_default()
    }
}

/// A thread that feeds.
pub(super) struct Feeder {
    feed: Arc<Feed>,
    thread: Option<JoinHandle<()>>,
}

impl Feeder {
    /// Starts one; `name` makes its events its own.
    pub(super) fn start(
        feed: &Arc<Feed>,
        name: &str,
        origin: &str,
        iccids: Vec<String>,
        seed: u64,
    ) -> Self {
        let (shared, name, origin) = (feed.clone(), name.to_owned(), origin.to_owned());
        let work = move || {
            let mut random = Random::new(seed);
            let mut last: Vec<Value> = vec![];
            let stops = [&shared.finish, &shared.abandon];
            for number in 0.. {
                if stops.iter().any(|stop| stop.load(Ordering::Relaxed)) {
                    return;
                }
                let event = |place: u32| {
                    let (iccid, bytes) = (random.pick(&iccids), random.below(BYTES_MOST));
                    let id = format!("{number}-{place}");
                    usage::event(&name, &id, iccid, &usage::stamp(), bytes)
                };
                let batch: Vec<Value> = (0..4).map(event).collect();
                shared.send(&origin, &batch);
                // An acknowledged batch, sent again: whatever becomes of it, it must not count.
                if number % 7 == 0 && !last.is_empty() {
                    drop(usage::batch(&origin, &last).send());
                }
                last = batch;
            }
        };
        Self { feed: feed.clone(), thread: Some(std::thread::spawn(work)) }
    }

    /// Lets it finish what it is sending, while the server is there to take it.
    pub(super) fn finish(mut self) {
        self.feed.finish.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it is finished once");
        thread.join().expect("the feeder saw nothing wrong");
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.feed.abandon.store(true, Ordering::Relaxed);
            // The test already fails for its own reason.
            let _ = thread.join();
        }
    }
}

/// A thread that sends what it is given, one event after the other, through every death of the
/// server: whoever gives it something need not wait for a server that is dead.
pub(super) struct Spender {
    feed: Arc<Feed>,
    given: Option<Sender<Value>>,
    thread: Option<JoinHandle<()>>,
    number: u32,
}

impl Spender {
    /// Starts one.
    pub(super) fn start(feed: &Arc<Feed>, origin: &str) -> Self {
        let (given, taken) = mpsc::channel::<Value>();
        let (shared, origin) = (feed.clone(), origin.to_owned());
        let work = move || taken.iter().for_each(|event| shared.send(&origin, &[event]));
        let thread = Some(std::thread::spawn(work));
        Self { feed: feed.clone(), given: Some(given), thread, number: 0 }
    }

    /// A line uses so much.
    pub(super) fn spend(&mut self, iccid: &str, bytes: u64) {
        self.number += 1;
        let (id, at) = (self.number.to_string(), usage::stamp());
        let event = usage::event("carrier/spent", &id, iccid, &at, bytes);
        let given = self.given.as_ref().expect("it is finished last");
        given.send(event).expect("its thread is there");
    }

    /// Everything is acknowledged when this returns; the server must be there.
    pub(super) fn finish(mut self) {
        self.given = None;
        let thread = self.thread.take().expect("it is finished once");
        thread.join().expect("the spender saw nothing wrong");
    }
}

impl Drop for Spender {
    fn drop(&mut self) {
        self.given = None;
        if let Some(thread) = self.thread.take() {
            self.feed.abandon.store(true, Ordering::Relaxed);
            // The test already fails for its own reason.
            let _ = thread.join();
        }
    }
}
