//! What must hold after everything that can happen: the invariants of the rules, by number, each
//! from what the gateway, the carrier and the books say and not from what `apply` believes.

use super::outside::{KEY_KEPT, Payment};
use super::world::{Work, World, is_december, the_date};
use laika_core::bytes::Bytes;
use laika_core::decide::{Standing, TriggerDue};
use laika_core::ledger::Book;
use laika_core::recharge::{Attempt, Outcome, Recharge, Status};
use laika_core::time::{Instant, Span};
use std::sync::Arc;

/// The cap of the rule, and the price of one recharge, in minor units.
const CAP: i64 = 600;
const PRICE: i64 = 300;

/// The law that a step broke.
pub(super) fn broken(before: &World, after: &World) -> Option<String> {
    let checks = [
        books(after),
        one_at_a_time(after),
        charged_once(after),
        justified(before, after),
        within_the_cap(after),
        off_is_a_barrier(before, after),
        usage_counts_once(after),
        ends_stay(before, after),
        attempts_follow_each_other(after),
        ladder(before, after),
        told_once(before, after),
        somebody_goes_on(after),
        says(after.counted_twice, "a repeated fact changed something"),
    ];
    checks.into_iter().flatten().next()
}

fn says(broken: bool, law: &str) -> Option<String> {
    broken.then(|| law.to_owned())
}

fn captures(world: &World) -> impl Iterator<Item = (&Recharge, &Attempt)> {
    let taken = |(_, a): &(&Recharge, &Attempt)| {
        matches!(a.outcome, Some(Outcome::Captured { refunded: false, .. }))
    };
    let all = world.recharges.iter().flat_map(|r| r.attempts.iter().map(move |a| (&**r, a)));
    all.filter(taken)
}

/// Law 1: every book is what the recharges and the balance say; law 12: no more goes back than was
/// taken.
fn books(world: &World) -> Option<String> {
    let sum = |book: Book, money: bool| world.books.get(&(book, money)).copied().unwrap_or(0);
    let (euros, bytes) = (|book| sum(book, true), |book| sum(book, false));
    let held = i64::try_from(captures(world).count()).expect("few") * PRICE;
    let earned = captures(world)
        .filter(|(r, a)| {
            r.status == Status::Done && r.kept_capture().is_some_and(|kept| kept.number == a.number)
        })
        .count();
    let earned = i64::try_from(earned).expect("few") * PRICE;
    let left = world.balance.bytes_on_books().to_i64();
    says(euros(Book::Customer) > 0, "12. more went back than was taken")
        .or(says(euros(Book::Customer) != -held, "1. the customer's book is not what was taken"))
        .or(says(euros(Book::Sales) != earned, "1. sales are not what was delivered"))
        .or(says(euros(Book::Prepaid) != held - earned, "1. prepaid is not what is open"))
        .or(says(bytes(Book::LineData) != left, "1. the line's data is not its balance"))
}

/// Law 2: one automatic recharge is open at most, and none keeps two captures.
fn one_at_a_time(world: &World) -> Option<String> {
    let open = |r: &&Arc<Recharge>| matches!(r.past().standing, Standing::Open | Standing::Unknown);
    let kept = |r: &Recharge| {
        let kept = |a: &&Attempt| {
            matches!(a.outcome, Some(Outcome::Captured { refunded: false, .. }))
                && !r.goes_back(a.number)
        };
        r.attempts.iter().filter(kept).count()
    };
    says(world.recharges.iter().filter(open).count() > 1, "2. two recharges are open")
        .or(says(world.recharges.iter().any(|r| kept(r) > 1), "2. two captures are kept"))
}

/// Law 2: a key takes money once, for as long as a gateway knows it.
fn charged_once(world: &World) -> Option<String> {
    let payments = &world.gateway.payments;
    let twice = payments.iter().enumerate().any(|(place, payment)| {
        let same = |p: &Payment| (p.recharge, p.attempt) == (payment.recharge, payment.attempt);
        let soon = |p: &Payment| payment.made_at.since(p.made_at) < KEY_KEPT;
        let again = |p: &Payment| same(p) && soon(p) && p.captured;
        payment.captured && payments[..place].iter().any(again)
    });
    says(twice, "2. one key took money twice")
}

/// Law 4: a recharge is opened because little is left or the announced date has come, at its
/// price; law 16: half an hour after the last one at the earliest.
fn justified(before: &World, after: &World) -> Option<String> {
    let new = after.recharges.get(before.recharges.len())?;
    let coming = before.recharges.iter().filter(|r| !r.status.is_end()).count();
    let coming = Bytes::GB.checked_mul(coming as u64).expect("few");
    let left = after.balance.available(after.now).plus(coming);
    let low = left <= Bytes::GB;
    let date = |t: &TriggerDue| *t == TriggerDue::Scheduled { at: the_date() };
    let by_date = new.order.triggers.iter().any(date);
    let told = before.notices.iter().any(|n| date(&n.trigger) && n.charge_at <= after.now);
    let earlier = before.recharges.iter().flat_map(|r| &r.order.triggers).filter(|t| date(t));
    let last = before.recharges.iter().map(|r| r.opened_at).max();
    says(!low && !by_date, "4. opened with enough left")
        .or(says(by_date && !told, "4. charged on a date that was not announced"))
        .or(says(by_date && earlier.count() > 0, "4. the same date is charged twice"))
        .or(says(new.order.amount.amount_minor != PRICE, "4. another amount than agreed"))
        .or(says(
            last.is_some_and(|at| new.opened_at.since(at) < Span::minutes(30)),
            "16. two within the pause",
        ))
}

/// Law 5: what is spent and reserved in a month stays within the cap, and each charge is reserved
/// in the month in which it was sent.
fn within_the_cap(world: &World) -> Option<String> {
    let counts = |r: &&Arc<Recharge>| r.past().standing != Standing::Released;
    for r in world.recharges.iter().filter(counts) {
        let same = world.recharges.iter().filter(counts);
        let same = same
            .filter(|other| is_december(other.reserved_at) == is_december(r.reserved_at))
            .count();
        // A capture that comes back after its reservation was released is over it for a moment.
        let back = captures(world).filter(|(r, a)| r.status.is_end() && r.goes_back(a.number));
        let returned = world.recharges.iter().filter(|r| {
            r.status.is_end() && r.status.standing() == Standing::Released && counts(r)
        });
        let aside = back.count().max(returned.count());
        if i64::try_from(same - aside.min(same)).expect("few") * PRICE > CAP {
            return says(true, "5. over the month's cap");
        }
        let sent = r.attempts.iter().filter_map(|a| a.last_submitted_at).max();
        if sent.is_some_and(|at| is_december(at) != is_december(r.reserved_at)) {
            return says(true, "5. sent in a month in which it is not reserved");
        }
    }
    None
}

/// Law 6: nothing is submitted after "off".
fn off_is_a_barrier(before: &World, after: &World) -> Option<String> {
    let sent = |world: &World| -> Vec<Option<Instant>> {
        let attempts = world.recharges.iter().flat_map(|r| &r.attempts);
        attempts.map(|a| a.last_submitted_at).filter(Option::is_some).collect()
    };
    says(!before.rule.on && sent(before) != sent(after), "6. submitted after off")
}

/// Law 7: every event is drawn once.
fn usage_counts_once(world: &World) -> Option<String> {
    let granted: Bytes = world.balance.buckets.iter().map(|b| b.bytes_total).sum();
    let drawn = granted.minus(world.balance.bytes_on_books()).plus(world.balance.overrun_bytes);
    let used: Bytes = world.events.iter().map(|event| event.bytes).sum();
    let delivered = world.balance.buckets.iter().filter(|b| b.recharge.is_some()).count();
    says(drawn != used, "7. usage is not drawn once").or(says(
        delivered > world.carrier.delivered.len(),
        "3. the line has data that the carrier did not give",
    ))
}

/// Law 9: an end stays, and a capture is never un-heard.
fn ends_stay(before: &World, after: &World) -> Option<String> {
    let ended =
        |(a, b): (&Arc<Recharge>, &Arc<Recharge>)| a.status.is_end() && a.status != b.status;
    let undone = |(a, b): (&Arc<Recharge>, &Arc<Recharge>)| {
        let captured = |a: &&Attempt| matches!(a.outcome, Some(Outcome::Captured { .. }));
        a.attempts.iter().filter(captured).count() > b.attempts.iter().filter(captured).count()
    };
    let pairs = || before.recharges.iter().zip(&after.recharges);
    says(pairs().any(ended), "9. an end did not stay")
        .or(says(pairs().any(undone), "9. a capture was undone"))
}

/// Laws 2 and 10: the next attempt starts only when the last can no longer capture; a key is sent
/// again only within 20 h.
fn attempts_follow_each_other(world: &World) -> Option<String> {
    for recharge in &world.recharges {
        let open = recharge.attempts.iter().filter(|a| a.outcome.is_none()).count();
        if open > 1 && recharge.paid_at.is_none() {
            return says(true, "2. an attempt is planned while another may still capture");
        }
        let late = |a: &Attempt| {
            let sent = a.submitted_at.zip(a.last_submitted_at);
            sent.is_some_and(|(first, last)| last.since(first) >= Span::hours(20))
        };
        if recharge.attempts.iter().any(late) {
            return says(true, "10. a key is sent again after 20 h");
        }
    }
    None
}

/// Law 10: an instrument is tried at once and 1 h, 2 h, 4 h after it was heard to fail, then no
/// more. What was planned before that was heard stays planned.
fn ladder(before: &World, after: &World) -> Option<String> {
    let first = after.declines.first()?;
    let rungs = [Span(0), Span::hours(1), Span::hours(2), Span::hours(4)];
    let rung = rungs.get(after.declines.len());
    let is_new = |place: usize, a: &Attempt| {
        let old = before.recharges.get(place).is_some_and(|r| r.attempt(a.number).is_some());
        a.outcome.is_none() && !old
    };
    let soon = |place: usize, a: &Attempt| {
        let job = after.jobs.get(&Work::Charge(place, a.number));
        job.is_none_or(|job| rung.is_none_or(|rung| job.due.since(*first) < *rung))
    };
    let mut all = after.recharges.iter().enumerate();
    let broken = all.any(|(at, r)| r.attempts.iter().any(|a| is_new(at, a) && soon(at, a)));
    says(broken, "10. tried too often or too soon")
}

/// Law 11: each piece of news is enqueued once; "no answer" once for each attempt.
fn told_once(before: &World, world: &World) -> Option<String> {
    if Arc::ptr_eq(&before.told, &world.told) {
        return None;
    }
    let twice = world.told.iter().find(|((place, what), times)| {
        let most = match (place, *what) {
            (Some(place), "unknown" | "wrongly_taken" | "refunded") => {
                world.recharges[*place].attempts.len()
            }
            (Some(_) | None, _) => 1,
        };
        usize::from(**times) > most
    });
    twice.map(|((_, what), times)| format!("11. told {times} times: {what}"))
}

/// Law 17, without its minutes: no recharge is left alone. A job or a worker goes on with it.
fn somebody_goes_on(world: &World) -> Option<String> {
    let about = |work: Work| match work {
        Work::Look => None,
        Work::Charge(place, _)
        | Work::LookUp(place, _)
        | Work::Cancel(place, _)
        | Work::TopUp(place)
        | Work::LookUpTopUp(place)
        | Work::Refund(place, _) => Some(place),
    };
    let going_on = |place: usize| world.jobs.keys().any(|work| about(*work) == Some(place));
    let left = world.recharges.iter().enumerate().find(|(place, recharge)| {
        let goes_back = recharge.attempts.iter().any(|a| recharge.goes_back(a.number));
        (!recharge.status.is_end() || goes_back) && !going_on(*place)
    });
    left.map(|(place, recharge)| {
        format!("stuck: no job is left for r{} ({:?})", place + 1, recharge.status)
    })
}

/// Whether everything has come to rest: no recharge is open, nothing is on its way back, and all
/// that the gateway did is known.
pub(super) fn at_rest(world: &World) -> bool {
    let known = world.gateway.payments.iter().enumerate().all(|(place, payment)| {
        let recharge = &world.recharges[payment.recharge];
        !payment.captured || recharge.has_captured(&format!("p{place}"))
    });
    let going =
        |r: &Arc<Recharge>| !r.status.is_end() || r.attempts.iter().any(|a| r.goes_back(a.number));
    known && !world.recharges.iter().any(going)
}

/// Law 3: at rest, gateway and carrier agree with us: done is charged once and delivered once; of
/// everything else no money is kept.
pub(super) fn unfair(world: &World) -> Option<String> {
    for (place, recharge) in world.recharges.iter().enumerate() {
        let kept = world.gateway.payments.iter();
        let kept = kept.filter(|p| p.recharge == place && p.captured && !p.refunded).count();
        let delivered = world.carrier.delivered.contains(&place);
        let done = recharge.status == Status::Done;
        if kept != usize::from(done) {
            return Some(format!("3. r{} {:?}: {kept} captures kept", place + 1, recharge.status));
        }
        if done && !delivered {
            return Some(format!("3. r{} is charged and not delivered", place + 1));
        }
    }
    None
}
