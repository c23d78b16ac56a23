//! Everything that can happen next in a world: the workers' steps one by one, the clock, the
//! customer, lost and late messages, deaths.

use super::outside::Behaviour;
use super::world::{Busy, Next, Stage, Work, World};
use laika_core::recharge::{Outcome, Status};
use laika_core::time::Span;
use std::fmt;

/// So far the clock jumps: from the start to an hour after the date.
const JUMP: Span = Span::hours(37);

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// A usage event is delivered, for the first time or again.
    Usage(u8),
    /// The customer turns the rule off, and is told so.
    Off,
    /// Time passes until the next job is due.
    Wait,
    /// The clock jumps forward by a day and a half.
    Jump,
    /// A worker claims a due job: one that nobody holds, or whose lease ran out.
    Claim(usize, Work),
    /// A worker does the next step of its job.
    Step(usize, Behaviour),
    /// A worker dies with all that it has in its hands.
    Die(usize),
    /// A charge that was thought lost reaches the gateway.
    Arrive(usize, u32),
    /// A payment is compared: a webhook came, or the gateway's list was read.
    Compare(usize),
}

impl Move {
    /// What the server itself does, given time: no customer, no accident.
    pub(super) fn is_progress(self) -> bool {
        match self {
            Move::Wait | Move::Claim(..) | Move::Step(..) | Move::Compare(_) => true,
            Move::Usage(_) | Move::Off | Move::Jump | Move::Die(_) | Move::Arrive(..) => false,
        }
    }
}

/// Every world that may follow; none where a move changes nothing.
pub(super) fn moves(world: &World) -> Vec<(Move, Option<World>)> {
    let mut found = Vec::new();
    let mut add = |what: Move, change: &dyn Fn(&mut World)| {
        let mut after = world.clone();
        change(&mut after);
        found.push((what, Some(after)));
    };
    for worker in 0..2 {
        match &world.workers[worker] {
            // Two idle workers are one as good as the other.
            None if worker == 1 && world.workers[0].is_none() => {}
            None => claims(world, worker, &mut add),
            Some(busy) => {
                for behaviour in behaviours(world, busy) {
                    add(Move::Step(worker, behaviour), &|w| w.step(worker, behaviour));
                }
                if world.left.mishaps > 0 && busy.leaves_a_trace() {
                    add(Move::Die(worker), &|w| w.die(worker));
                }
            }
        }
    }
    let busy = world.workers.iter().flatten().count() > 0;
    if let Some(at) = next_due(world).filter(|_| !busy || world.left.mishaps > 0) {
        add(Move::Wait, &|w| {
            w.left.mishaps -= u8::from(busy);
            w.now = at;
        });
    }
    if world.left.jumps > 0 {
        add(Move::Jump, &|w| {
            w.left.jumps -= 1;
            w.now = w.now.plus(JUMP);
        });
    }
    for number in [1, 2].into_iter().filter(|number| !world.has_counted(*number)) {
        add(Move::Usage(number), &|w| w.usage(number));
    }
    if world.rule.on && world.left.offs > 0 {
        add(Move::Off, &|w| {
            w.left.offs -= 1;
            w.turn_off();
        });
    }
    for (recharge, attempt) in world.gateway.on_the_way.iter().copied() {
        add(Move::Arrive(recharge, attempt), &|w| w.arrive(recharge, attempt));
    }
    for place in 0..world.gateway.payments.len() {
        if world.disagrees(place) {
            add(Move::Compare(place), &|w| w.compare(place));
        }
    }
    let again = [1, 2].into_iter().filter(|number| world.has_counted(*number));
    found.extend(again.map(|number| (Move::Usage(number), None)));
    found
}

impl Busy {
    /// Whether it is another world if this worker dies here. Otherwise nothing was done since the
    /// claim, and the same follows from not claiming.
    fn leaves_a_trace(&self) -> bool {
        match (self.work, self.stage) {
            (Work::Charge(..), _) => true,
            (Work::TopUp(_) | Work::Refund(..), Stage::Heard(_)) => true,
            (Work::TopUp(_) | Work::Refund(..), Stage::Sending) => false,
            (Work::Look | Work::LookUp(..) | Work::Cancel(..) | Work::LookUpTopUp(_), _) => false,
        }
    }
}

/// What an idle worker may claim. A claim that is taken away matters while its holder has yet to
/// send: what it heard before is lost as if it had died.
fn claims(world: &World, worker: usize, add: &mut impl FnMut(Move, &dyn Fn(&mut World))) {
    for (work, job) in &world.jobs {
        let sending = |busy: &Busy| busy.work == *work && busy.stage == Stage::Sending;
        let paused = world.left.mishaps > 0 && world.workers.iter().flatten().any(sending);
        let free = job.held_by.is_none() || paused;
        if job.due <= world.now && free {
            add(Move::Claim(worker, *work), &|w| w.claim(worker, *work));
        }
    }
}

/// When the next job is due, once nothing that is due now waits for a worker.
fn next_due(world: &World) -> Option<laika_core::time::Instant> {
    let waits = |job: &super::world::Job| job.due <= world.now && job.held_by.is_none();
    let later = world.jobs.values().map(|job| job.due).filter(|due| *due > world.now);
    if world.jobs.values().any(waits) { None } else { later.min() }
}

/// How the next call may go: well, as badly as the last one, or badly in a new spell.
fn behaviours(world: &World, busy: &Busy) -> Vec<Behaviour> {
    let bad = match (busy.stage, busy.work) {
        (Stage::Heard(_), _) => &[][..],
        (Stage::Sending, Work::Refund(..)) => {
            &[Behaviour::LosesAnswers, Behaviour::LosesRequests][..]
        }
        (Stage::Sending, _) => {
            &[Behaviour::Refuses, Behaviour::LosesAnswers, Behaviour::LosesRequests][..]
        }
    };
    let goes_on = |bad: &Behaviour| world.price(busy.work, *bad) <= world.left.spells;
    let bad = bad.iter().copied().filter(goes_on);
    [Behaviour::Answers].into_iter().chain(bad).collect()
}

impl World {
    /// A claim, and what needs nothing sent: a look at the line is all done, a submission is
    /// recorded, a look-up has its answer in hand. What was read here may be old when it is used.
    fn claim(&mut self, worker: usize, work: Work) {
        let job = self.jobs.get_mut(&work).expect("a job");
        if job.held_by.is_some() {
            self.left.mishaps -= 1;
        }
        job.held_by = Some(worker);
        let stage = match work {
            Work::Look => {
                self.look();
                None
            }
            Work::Charge(place, number) => self.submit(place, number),
            Work::LookUp(place, number) | Work::Cancel(place, number) => {
                Some(Stage::Heard(self.look_up(place, number)))
            }
            Work::TopUp(place) if self.waits_for_delivery(place) => Some(Stage::Sending),
            Work::LookUpTopUp(place) if self.waits_for_delivery(place) => {
                let found = self.carrier.delivered.contains(&place);
                Some(Stage::Heard(if found { Next::Delivered } else { Next::TopUpNotFound }))
            }
            Work::TopUp(_) | Work::LookUpTopUp(_) => Some(Stage::Heard(Next::Nothing)),
            Work::Refund(place, number) if self.recharges[place].goes_back(number) => {
                Some(Stage::Sending)
            }
            Work::Refund(..) => Some(Stage::Heard(Next::Nothing)),
        };
        self.workers[worker] = stage.map(|stage| Busy { work, stage });
        if stage == Some(Stage::Heard(Next::Nothing)) {
            self.step(worker, Behaviour::Answers);
        }
    }

    /// The next step of what a worker holds: it calls outside, or writes what it heard.
    fn step(&mut self, worker: usize, behaviour: Behaviour) {
        let Some(Busy { work, stage }) = self.workers[worker] else { return };
        if stage == Stage::Sending {
            self.left.spells -= self.price(work, behaviour);
            self.behaviour = behaviour;
        }
        let heard = match (stage, work) {
            (Stage::Heard(next), _) => {
                self.conclude(worker, work, next);
                self.workers[worker] = None;
                return;
            }
            (Stage::Sending, Work::TopUp(place)) => self.carrier.top_up(place, behaviour),
            (Stage::Sending, Work::Refund(place, number)) => {
                self.give_back(place, number, behaviour)
            }
            (Stage::Sending, Work::Charge(place, number)) => {
                self.gateway.charge((place, number), behaviour, self.now)
            }
            (Stage::Sending, other) => panic!("nothing is sent for {other:?}"),
        };
        self.workers[worker] = Some(Busy { work, stage: Stage::Heard(heard) });
    }

    /// Whether a spell begins with this call. A refund is asked for again for ever, and a request
    /// that is lost is sent again for 20 h: there each bad answer is a spell of its own.
    fn price(&self, work: Work, behaviour: Behaviour) -> u8 {
        let lasts = self.behaviour == behaviour
            && !matches!(work, Work::Refund(..))
            && behaviour != Behaviour::LosesRequests;
        u8::from(behaviour != Behaviour::Answers && !lasts)
    }

    /// `perform::look_up`, and `perform::cancel` where there is no link to cancel.
    fn look_up(&self, place: usize, number: u32) -> Next {
        let outcome = self.recharges[place].attempt(number).map(|a| a.outcome.clone());
        match (outcome, self.gateway.find(place, number)) {
            (Some(Some(Outcome::Captured { .. })) | None, _) => Next::Nothing,
            (Some(_), Some(next)) => next,
            (Some(None), None) => Next::NotFound,
            (Some(Some(_)), None) => Next::Nothing,
        }
    }

    /// `perform::refund`: under the key of the payment, so that it goes back once.
    fn give_back(&mut self, place: usize, number: u32, behaviour: Behaviour) -> Next {
        let outcome = self.recharges[place].attempt(number).map(|a| a.outcome.clone());
        let Some(Some(Outcome::Captured { payment, .. })) = outcome else { return Next::Nothing };
        let payment = payment.trim_start_matches('p').parse().expect("a payment's place");
        self.gateway.refund(payment, behaviour)
    }

    fn waits_for_delivery(&self, place: usize) -> bool {
        let status = self.recharges[place].status;
        matches!(status, Status::Paid | Status::Delivering | Status::DeliveryUnknown)
    }

    /// A worker dies; a start finds what it held, or its lease runs out.
    fn die(&mut self, worker: usize) {
        self.left.mishaps -= 1;
        if self.holds(worker)
            && let Some(Busy { work, .. }) = self.workers[worker].take()
            && let Some(job) = self.jobs.get_mut(&work)
        {
            job.held_by = None;
        }
        self.workers[worker] = None;
    }

    fn arrive(&mut self, recharge: usize, attempt: u32) {
        self.gateway.on_the_way.retain(|key| *key != (recharge, attempt));
        self.gateway.charge((recharge, attempt), Behaviour::Answers, self.now);
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Move::Usage(number) => write!(f, "usage event {number} is delivered"),
            Move::Off => write!(f, "the customer turns the rule off"),
            Move::Wait => write!(f, "time passes until the next job is due"),
            Move::Jump => write!(f, "the clock jumps forward by 37 hours"),
            Move::Claim(worker, work) => write!(f, "worker {worker} claims {work:?}"),
            Move::Step(worker, Behaviour::Answers) => write!(f, "worker {worker} goes on"),
            Move::Step(worker, behaviour) => write!(f, "worker {worker} goes on: {behaviour:?}"),
            Move::Die(worker) => write!(f, "worker {worker} dies"),
            Move::Arrive(recharge, attempt) => {
                write!(f, "r{}'s charge {attempt} reaches the gateway after all", recharge + 1)
            }
            Move::Compare(payment) => write!(f, "payment p{payment} is compared"),
        }
    }
}
