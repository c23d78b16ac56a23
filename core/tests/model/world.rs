//! One line and all that there is around it: what the database holds, what two workers have in
//! their hands, what the gateway and the carrier did.

use super::outside::{Behaviour, Carrier, Gateway};
use crate::cases::money;
use chrono::NaiveDate;
use laika_core::balance::{Balance, Bucket, UsageEvent};
use laika_core::bytes::Bytes;
use laika_core::catalogue::Terms;
use laika_core::decide::{Account, History, MethodFacts, Notice, Suspension};
use laika_core::id::{BucketId, LineId, PaymentMethodId};
use laika_core::ledger::{Book, Posting};
use laika_core::recharge::Recharge;
use laika_core::retry::Ladder;
use laika_core::rule::{Amount, Limits, Rule, Threshold, Triggers};
use laika_core::schedule::{Schedule, TimeOfDay, Unit};
use laika_core::time::{Instant, Span};
use laika_core::zone::Zone;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a job is about; at most one such job is pending. Recharges by their place, then attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Work {
    Look,
    Charge(usize, u32),
    LookUp(usize, u32),
    Cancel(usize, u32),
    TopUp(usize),
    LookUpTopUp(usize),
    Refund(usize, u32),
}

/// A pending job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Job {
    pub due: Instant,
    /// The worker whose claim still holds: only it may end the job.
    pub held_by: Option<usize>,
}

/// What a worker has in its hands: lost when it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Busy {
    pub work: Work,
    pub stage: Stage,
}

/// How far a worker has come with its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Stage {
    /// What it read or recorded says that it has to be sent; nothing was.
    Sending,
    /// The outside has answered, or did not; nothing is written.
    Heard(Next),
}

/// What a worker will write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Next {
    Captured(u32),
    Declined,
    Unanswered,
    NotFound,
    Delivered,
    NotDelivered,
    TopUpNotFound,
    DeliveryUnanswered,
    Refunded,
    RefundUnanswered,
    Nothing,
}

/// How much may still go wrong, or be decided otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Left {
    /// Times that gateway and carrier begin to behave badly, each time for as long as they like.
    pub spells: u8,
    /// Workers that die, that lose their lease, or that are slow while time passes.
    pub mishaps: u8,
    /// Jumps of the clock.
    pub jumps: u8,
    /// Turning off.
    pub offs: u8,
    /// Whether webhooks come also while a look-up is pending that will say the same.
    pub overtaking: bool,
    /// What is done wrong on purpose, to see that a law finds it.
    pub fault: Option<Fault>,
}

/// What the shell or the gateway does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// The same key again is another payment.
    GatewayForgetsKeys,
    /// "Off" stops nothing that is open, and nothing is decided again before it is sent.
    OffStopsNothing,
    /// What was announced is not recorded.
    NoticeIsNotKept,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub now: Instant,
    /// Counts what touches the balance.
    pub version: i64,
    pub rule: Arc<Rule>,
    pub suspended: Option<Suspension>,
    pub consumed_through: Option<Instant>,
    pub notices: Arc<Vec<Notice>>,
    pub ladder: Ladder,
    pub barred: bool,
    /// Declines in a row: a capture ends them.
    pub declines: Vec<Instant>,
    pub recharges: Vec<Arc<Recharge>>,
    pub balance: Arc<Balance>,
    /// The inbox, in the order of placement.
    pub events: Arc<Vec<UsageEvent>>,
    /// Money and data, which never mix.
    pub books: Arc<BTreeMap<(Book, bool), i64>>,
    /// Messages, by what they are about.
    pub told: Arc<BTreeMap<(Option<usize>, &'static str), u8>>,
    pub jobs: BTreeMap<Work, Job>,
    pub workers: [Option<Busy>; 2],
    pub gateway: Gateway,
    pub carrier: Carrier,
    /// How gateway and carrier behaved last.
    pub behaviour: Behaviour,
    /// Whether a fact that came again changed anything.
    pub counted_twice: bool,
    pub left: Left,
}

/// The pause between two recharges.
pub(super) const COOL_DOWN: Span = Span::minutes(30);

/// The 29th of November, midnight: the month ends in two days.
pub(super) fn start_of_time() -> Instant {
    Instant::from_seconds(1_795_910_400)
}

/// The one date of the schedule, a day and a half later.
pub(super) fn the_date() -> Instant {
    start_of_time().plus(Span::hours(36))
}

/// Which month of the cap an instant is in: the model sees no third.
pub(super) fn is_december(at: Instant) -> bool {
    at >= start_of_time().plus(Span::hours(48))
}

/// No look at the line is kept that is further away: the date after the one of the model.
const HORIZON: Span = Span::days(7);

fn method() -> PaymentMethodId {
    PaymentMethodId::new("card").expect("an id")
}

fn rule() -> Rule {
    Rule {
        version: 1,
        on: true,
        armed_at: start_of_time(),
        paused_until_on: None,
        skip_at: None,
        triggers: Triggers {
            low_balance: Some(Threshold::Data { bytes: Bytes::GB }),
            scheduled: Some(Schedule {
                every: 1,
                unit: Unit::Month { day: 30 },
                at: TimeOfDay::parse("12:00").expect("a time"),
                start: NaiveDate::from_ymd_opt(2026, 11, 30).expect("a date"),
            }),
            expiring_days: None,
        },
        amount: Amount::FixedData { bytes: Bytes::GB },
        limits: Limits {
            max_per_recharge: None,
            max_per_day: None,
            cap_per_month: Some(money("6.00")),
            cool_down_minutes: 30,
            starts_on: None,
            ends_on: None,
        },
        alert: None,
        payment_methods: vec![method()],
        step: Terms::sandbox(money("1").currency).step,
    }
}

impl World {
    /// 2 GB, a rule that adds 1 GB at 1 GB and on one date, for at most EUR 6.00 a month.
    pub(super) fn start(left: Left) -> World {
        let line = LineId::new("line").expect("an id");
        let two = Bytes::GB.checked_mul(2).expect("2 GB");
        let mut balance = Balance::default();
        balance.grant(Bucket {
            id: BucketId::first_of(&line),
            bytes_total: two,
            bytes_left: two,
            expires_at: None,
            granted_at: start_of_time(),
            grant_version: 0,
            recharge: None,
        });
        let mut world = World {
            now: start_of_time(),
            version: 0,
            rule: Arc::new(rule()),
            suspended: None,
            consumed_through: None,
            notices: Arc::default(),
            ladder: Ladder::default(),
            barred: false,
            declines: Vec::new(),
            recharges: Vec::new(),
            balance: Arc::new(balance),
            events: Arc::default(),
            books: Arc::default(),
            told: Arc::default(),
            jobs: BTreeMap::new(),
            workers: [None, None],
            gateway: Gateway {
                forgets_keys: left.fault == Some(Fault::GatewayForgetsKeys),
                ..Gateway::default()
            },
            carrier: Carrier::default(),
            behaviour: Behaviour::Answers,
            counted_twice: false,
            left,
        };
        world.book(&Posting::bytes(Book::Carrier, Book::LineData, two));
        world.enqueue(Work::Look, world.now);
        world
    }

    pub(super) fn account(&self) -> Account {
        Account {
            line_id: LineId::new("line").expect("an id"),
            zone: Zone::utc(),
            kept_periods: None,
            stopped_by_operator: false,
            line_closed: false,
            available_bytes: self.balance.available(self.now),
            credit_minor: 0,
            latest_expiry_at: self.balance.latest_expiry(self.now),
            terms: Terms::sandbox(money("1").currency),
            payment_methods: vec![MethodFacts {
                barred: self.barred,
                ladder: self.ladder,
                declined_at: self.declines.clone(),
                ..MethodFacts::card(method())
            }],
            notice_lead_hours: 24,
        }
    }

    pub(super) fn history(&self) -> History {
        History {
            recharges: self.recharges.iter().map(|recharge| recharge.past()).collect(),
            consumed_through: self.consumed_through,
            notices: Vec::clone(&self.notices),
            suspended: self.suspended,
            ..History::default()
        }
    }

    pub(super) fn book(&mut self, posting: &Posting) {
        for (book, amount) in posting.entries() {
            let money = posting.quantity.currency().is_some();
            *Arc::make_mut(&mut self.books).entry((book, money)).or_default() += amount;
        }
    }

    /// A pending job of the same work is moved forward if this is earlier, and whoever holds it
    /// loses it.
    pub(super) fn enqueue(&mut self, work: Work, due: Instant) {
        if work == Work::Look && due.since(self.now) > HORIZON {
            return;
        }
        let job = self.jobs.entry(work).or_insert(Job { due, held_by: None });
        *job = Job { due: job.due.min(due), held_by: None };
        self.forget_lost();
    }

    /// Whoever has only an answer in its hands and lost its claim will write nothing: it is free.
    fn forget_lost(&mut self) {
        for worker in 0..2 {
            let busy = self.workers[worker];
            if busy.is_some_and(|b| matches!(b.stage, Stage::Heard(_))) && !self.holds(worker) {
                self.workers[worker] = None;
            }
        }
    }

    /// Whether a worker still holds what it claimed.
    pub(super) fn holds(&self, worker: usize) -> bool {
        let busy = self.workers[worker].as_ref();
        busy.is_some_and(|busy| {
            self.jobs.get(&busy.work).is_some_and(|job| job.held_by == Some(worker))
        })
    }
}
