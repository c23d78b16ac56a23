//! Laws of a reconciliation, over honest worlds and worlds with defects: what must be found, and
//! what must change nothing.

use super::back::{decides_to_give_back, give_back, kept, recharge_of, won};
use super::plant::{PLANTS, plant_some};
use super::world::World;
use super::{Sides, rows, sides};
use crate::parity::Dice;
use laika_core::api::Language;
use laika_core::recharge::{Outcome, Status};
use laika_core::reconcile::{
    Decided, Difference, Kind, Payment, PaymentState, Reconciliation, RefundState, Remedy,
    SumTooLarge, reconcile,
};
use laika_core::record::canonical;
use laika_core::returns::{ReturnFact, Returns};
use laika_core::say::Speech;
use laika_core::time::{Instant, Span};
use laika_core::zone::Zone;
use std::collections::{BTreeMap, BTreeSet};

const WORLDS: u32 = 40;

fn compared_at(world: &World, as_of: Instant) -> Reconciliation {
    reconcile(&world.decisions, &world.gateway, &world.carrier, as_of).expect("small sums")
}

fn compared(world: &World) -> Reconciliation {
    compared_at(world, world.end.plus(Span::hours(24)))
}

fn shuffle<T>(rows: &mut [T], dice: &mut Dice) {
    for place in (1..rows.len()).rev() {
        rows.swap(place, dice.roll(place as u64 + 1) as usize);
    }
}

fn shuffled(world: &World, dice: &mut Dice) -> World {
    let mut world = world.clone();
    shuffle(&mut world.decisions.recharges, dice);
    shuffle(&mut world.decisions.barriers, dice);
    shuffle(&mut world.gateway.rows, dice);
    shuffle(&mut world.carrier.rows, dice);
    for row in &mut world.gateway.rows {
        shuffle(&mut row.refunds, dice);
        shuffle(&mut row.disputes, dice);
    }
    world
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn an_honest_world_has_no_difference() {
    let mut dice = Dice(1);
    let (mut seen, mut late, mut disputes, mut over_two) = (BTreeMap::new(), 0, 0, 0);
    for _ in 0..WORLDS {
        let world = World::of_two_lines(&mut dice);
        let found = compared(&world);
        assert_eq!(found.differences, vec![]);
        assert_eq!(found.checked.open, 0);
        assert_eq!(found.checked.recharges as usize, world.decisions.recharges.len());
        assert_eq!(found.checked.top_ups as usize, world.carrier.rows.len());
        for sums in &found.checked.sums {
            let left = sums.charged_minor - sums.refunded_minor - sums.disputed_minor;
            assert_eq!(sums.expected_minor, left, "what should be kept is kept");
        }
        for decided in &world.decisions.recharges {
            let recharge = &decided.recharge;
            *seen.entry(format!("{:?}", recharge.status)).or_insert(0) += 1;
            let captured = |a: &&laika_core::recharge::Attempt| {
                matches!(a.outcome, Some(Outcome::Captured { .. }))
            };
            let captures = recharge.attempts.iter().filter(captured).count();
            over_two += usize::from(captures > 1);
            late += usize::from(captures > 0 && recharge.status == Status::Failed);
        }
        disputes += world.gateway.rows.iter().filter(|row| !row.disputes.is_empty()).count();
    }
    // Without these it would prove little.
    for status in ["Done", "Failed", "Cancelled", "Refunded"] {
        assert!(seen.get(status).is_some_and(|n| *n >= 10), "{status}: {seen:?}");
    }
    assert!(late > 0 && over_two > 0 && disputes > 10, "{late} {over_two} {disputes}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn at_every_moment_an_honest_world_has_no_difference() {
    let mut dice = Dice(2);
    let mut left = 0;
    for _ in 0..WORLDS {
        let world = World::of_two_lines(&mut dice);
        let first = world.gateway.from;
        let minutes = world.end.since(first).0 / 60_000_000;
        for _ in 0..20 {
            let as_of = first.plus(Span::minutes(dice.roll(minutes as u64) as i64));
            let found = compared_at(&world, as_of);
            assert_eq!(found.differences, vec![], "{as_of}");
            left += found.checked.open;
            let mut cut = world.clone();
            cut.gateway.until = as_of;
            assert_eq!(compared(&cut), found, "a statement that ends is a moment");
        }
    }
    assert!(left > 100, "only {left} were left for later");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn exactly_the_planted_defect_is_found() {
    let mut dice = Dice(3);
    for (name, plant) in PLANTS {
        let (mut planted, mut worlds) = (0, 0);
        while planted < 12 && worlds < 500 {
            worlds += 1;
            let mut world = World::of_two_lines(&mut dice);
            let Some(expected) = plant(&mut dice, &mut world) else { continue };
            planted += 1;
            let found = compared(&world);
            let [difference] = found.differences.as_slice() else {
                panic!("{name}: {:#?}", found.differences)
            };
            let told = (difference.kind.code(), difference.remedy.code());
            assert_eq!(told, (expected.kind, expected.remedy), "{name}: {difference:#?}");
            assert_eq!(difference.recharge_id, expected.recharge_id, "{name}");
            let refunded = match &difference.remedy {
                Remedy::Refund { amount, .. } => Some(amount.amount_minor),
                Remedy::NeverCharged | Remedy::Case => None,
            };
            assert_eq!(refunded, expected.refund_minor, "{name}");
        }
        assert_eq!(planted, 12, "{name} found no place in {worlds} worlds");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_order_of_rows_changes_no_byte() {
    let mut dice = Dice(4);
    let mut kinds = BTreeSet::new();
    for _ in 0..WORLDS {
        let mut world = World::of_two_lines(&mut dice);
        plant_some(&mut dice, &mut world, 6);
        let found = compared(&world);
        kinds.extend(found.differences.iter().map(|difference| difference.kind.code()));
        for _ in 0..5 {
            assert_eq!(canonical(&compared(&shuffled(&world, &mut dice))), canonical(&found));
        }
    }
    assert_eq!(kinds.len(), 9, "every kind was among them: {kinds:?}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn rows_that_are_repeated_count_once() {
    let mut dice = Dice(5);
    for _ in 0..WORLDS {
        let mut world = World::of_two_lines(&mut dice);
        plant_some(&mut dice, &mut world, 3);
        let found = compared(&world);
        for _ in 0..9 {
            repeat_one(&mut world.decisions.recharges, &mut dice);
            repeat_one(&mut world.gateway.rows, &mut dice);
            repeat_one(&mut world.carrier.rows, &mut dice);
            let place = dice.roll(world.gateway.rows.len() as u64) as usize;
            repeat_one(&mut world.gateway.rows[place].refunds, &mut dice);
        }
        assert_eq!(compared(&shuffled(&world, &mut dice)), found);
    }
}

fn repeat_one<T: Clone>(rows: &mut Vec<T>, dice: &mut Dice) {
    if !rows.is_empty() {
        let row = rows[dice.roll(rows.len() as u64) as usize].clone();
        rows.push(row);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_refund_in_two_parts_is_one_and_a_won_dispute_is_none() {
    let mut dice = Dice(6);
    let mut split = 0;
    for _ in 0..WORLDS {
        let mut world = World::of_two_lines(&mut dice);
        plant_some(&mut dice, &mut world, 3);
        let (found, end) = (compared(&world), world.end);
        for row in &mut world.gateway.rows {
            if let Some(refund) = row.refunds.first_mut()
                && refund.amount_minor > 1
            {
                let part = 1 + dice.roll(refund.amount_minor as u64 - 1) as i64;
                refund.amount_minor -= part;
                let mut other = refund.clone();
                other.id = format!("{}-rest", other.id);
                other.amount_minor = part;
                row.refunds.push(other);
                split += 1;
            }
            if matches!(row.state, PaymentState::Captured { .. }) && dice.roll(3) == 0 {
                let mut dispute = won(&row.id, end);
                dispute.id.push_str("-more");
                row.disputes.push(dispute);
            }
        }
        assert_eq!(compared(&world), found);
    }
    assert!(split > 50, "only {split} were split");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn what_goes_back_never_exceeds_what_is_left_and_settles_it() {
    let mut dice = Dice(7);
    let mut refunds = 0;
    for _ in 0..WORLDS {
        let mut world = World::of_two_lines(&mut dice);
        plant_some(&mut dice, &mut world, 8);
        let found = compared(&world);
        let mut asked: BTreeMap<&str, i64> = BTreeMap::new();
        for difference in &found.differences {
            if let Remedy::Refund { payment, amount } = &difference.remedy {
                *asked.entry(payment).or_default() += amount.amount_minor;
                let row = world.gateway.rows.iter().find(|row| row.id == *payment);
                assert_eq!(row.map(|row| kept(row).currency), Some(amount.currency));
            }
        }
        let end = world.end;
        for row in &mut world.gateway.rows {
            let Some(asked) = asked.get(row.id.as_str()).copied() else { continue };
            refunds += 1;
            assert!(asked > 0 && asked <= kept(row).amount_minor, "{asked} of {row:?}");
            let rest = kept(row).amount_minor - asked;
            give_back(row, 1, end);
            row.refunds.last_mut().expect("a refund").amount_minor -= rest;
        }
        for difference in &found.differences {
            // Whether or not our record has it too.
            if dice.roll(2) == 0 {
                records(&mut world, difference);
            }
        }
        let given_back = |d: &&Difference| matches!(d.remedy, Remedy::Refund { .. });
        let place = |d: &Difference| (d.recharge_id.clone(), d.kind.code(), d.payment.clone());
        let rest = found.differences.iter().filter(|d| !given_back(d)).map(place);
        let rest: Vec<_> = rest.collect();
        let again: Vec<_> = compared(&world).differences.iter().map(place).collect();
        assert_eq!(again, rest, "what was given back is settled, the rest is as before");
    }
    assert!(refunds > 50, "only {refunds} were given back");
}

/// Has our record decide what follows from a difference, if it is about a payment it knows.
fn records(world: &mut World, difference: &Difference) {
    let Remedy::Refund { payment, .. } = &difference.remedy else { return };
    let Some(ReturnFact::RefundAsked { amount, why }) = difference.refund() else {
        panic!("no reason to give back for {:?}", difference.kind);
    };
    let of = |d: &&mut Decided| Some(&d.recharge.id) == difference.recharge_id.as_ref();
    let (Some(decided), Some(attempt)) =
        (world.decisions.recharges.iter_mut().find(of), difference.attempt)
    else {
        return;
    };
    if Returns::of(&decided.recharge, attempt).is_some_and(|known| known.payment == *payment) {
        decides_to_give_back(decided, attempt, amount, why, world.end);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn nothing_that_is_open_is_a_difference() {
    let mut dice = Dice(8);
    let mut held = 0;
    for _ in 0..WORLDS {
        let mut world = World::of_two_lines(&mut dice);
        plant_some(&mut dice, &mut world, 4);
        let found = compared(&world);
        for row in &world.gateway.rows {
            let recharge = recharge_of(&world, row);
            let of = |d: &&Difference| d.recharge_id == recharge;
            let mut about = found.differences.iter().filter(of).peekable();
            let told = about.peek().is_some() && about.all(|d| d.kind != Kind::Contradictory);
            if recharge.is_none() || !told || kept(row).amount_minor <= 0 {
                continue;
            }
            let mut open = world.clone();
            let same = |other: &&mut Payment| other.id == row.id;
            for row in open.gateway.rows.iter_mut().filter(same) {
                give_back(row, 1, world.end);
                row.refunds.last_mut().expect("a refund").state = RefundState::Open;
            }
            let later = compared(&open);
            assert!(!later.differences.iter().any(|d| of(&d)), "{:#?}", later.differences);
            held += 1;
        }
    }
    assert!(held > 50, "only {held} were held");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn sums_are_by_currency_and_never_wrap() {
    let payments = "a1 9.00 lost 2.00; r2.a1 9.00; r3.a1 USD 9.00 back 4.00; x 5.00 back 1.00";
    let cells = ["done; credit; failed; paid", payments, "t1 3 GB; t2 EUR 9.00; tx 1 GB", "-", "-"];
    let mut sides = sides(&cells);
    let checked = sides.compared().checked;
    let counts = (checked.recharges, checked.open, checked.payments, checked.top_ups);
    assert_eq!((counts, checked.credited_bytes.get()), ((3, 1, 4, 3), 4_000_000_000));
    let sums = checked.sums.iter().map(|s| {
        let money = [s.expected_minor, s.charged_minor, s.refunded_minor, s.disputed_minor];
        (s.currency.code(), money, s.credited_minor)
    });
    let sums: Vec<_> = sums.collect();
    assert_eq!(sums, [("EUR", [1800, 2300, 100, 200], 900), ("USD", [0, 900, 400, 0], 0)]);

    let mut huge = super::payment("x 9999999999999.99");
    for number in 0..10_000 {
        huge.id = format!("x{number}");
        sides.gateway.rows.push(huge.clone());
    }
    let Sides { decisions, gateway, carrier, as_of } = sides;
    let euro = super::money("1").currency;
    let sum = reconcile(&decisions, &gateway, &carrier, as_of);
    assert_eq!(sum, Err(SumTooLarge { currency: euro }));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn what_is_found_reads_back_from_its_json() {
    for cells in rows() {
        let found = sides(&cells).compared();
        let read: Reconciliation = serde_json::from_slice(&canonical(&found)).expect("its JSON");
        assert_eq!(read, found);
    }
    let Sides { decisions, gateway, carrier, .. } = sides(&rows()[0]);
    let json = canonical(&(&decisions, &gateway, &carrier));
    let read = serde_json::from_slice(&json).expect("its JSON");
    assert_eq!((decisions, gateway, carrier), read);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_difference_names_its_figures_in_both_languages() {
    let zone = Zone::utc();
    let mut said: BTreeMap<&str, String> = BTreeMap::new();
    for cells in rows() {
        for difference in sides(&cells).compared().differences {
            for language in [Language::En, Language::ZhCn] {
                let now = Instant::parse("2027-01-01T00:00:00Z").expect("an instant");
                let sentence = Speech { language, zone: &zone, now }.difference(&difference);
                if let Remedy::Refund { amount, .. } = &difference.remedy {
                    assert!(sentence.contains(&laika_core::say::money(*amount)), "{sentence}");
                }
                for kept in &difference.charged {
                    assert!(sentence.contains(&laika_core::say::money(*kept)), "{sentence}");
                }
                if language == Language::En {
                    said.entry(difference.kind.code()).or_insert(sentence);
                }
            }
        }
    }
    let different: BTreeSet<&String> = said.values().collect();
    assert_eq!((said.len(), different.len()), (9, 9), "{said:#?}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn what_happened_and_what_follows_is_said() {
    let now = Instant::parse("2027-01-01T00:00:00Z").expect("an instant");
    let zone = Zone::utc();
    let said = |cells: [&str; 5], language| {
        let found = sides(&cells).compared().differences;
        Speech { language, zone: &zone, now }.difference(found.first().expect("a difference"))
    };
    for (cells, en, zh) in SENTENCES {
        assert_eq!(said(cells, Language::En), en);
        assert_eq!(said(cells, Language::ZhCn), zh);
    }
}

const SENTENCES: [([&str; 5], &str, &str); 6] = [
    (
        ["done", "a1 9.00; a1b 9.00", "t1 3 GB", "-", ""],
        "One recharge was charged more than once: EUR 9.00 and EUR 9.00, where EUR 9.00 is right. EUR 9.00 is given back; nothing needs to be done.",
        "同一次充值重复扣款：EUR 9.00、EUR 9.00，应为 EUR 9.00。将退回 EUR 9.00，无需任何操作。",
    ),
    (
        ["done", "a1 9.00", "t1 3 GB", "off before", ""],
        "EUR 9.00 was charged by a request of 2 Nov 2026, 09:00, although charging was stopped at 2 Nov 2026, 08:59. EUR 9.00 is given back; nothing needs to be done.",
        "2026 年 11 月 2 日 08:59 已停止扣款，但 2026 年 11 月 2 日 09:00 仍发出请求，扣款 EUR 9.00。将退回 EUR 9.00，无需任何操作。",
    ),
    (
        ["done; done", "a1 9.00; r2.a1 9.00", "t1 3 GB; t2 3 GB", "cap 15.00", ""],
        "EUR 9.00 was charged above the monthly cap: EUR 18.00 in all, where EUR 15.00 was agreed. EUR 9.00 is given back; nothing needs to be done.",
        "扣款 EUR 9.00，超出每月上限：上限 EUR 15.00，当月共 EUR 18.00。将退回 EUR 9.00，无需任何操作。",
    ),
    (
        ["done", "a1 9.00", "-", "-", ""],
        "EUR 9.00 was charged, and the carrier shows no delivery for it. A case is open. No money moves until a person has looked.",
        "已扣款 EUR 9.00，但运营商没有到账记录。已登记待查，人工核实之前不会动用款项。",
    ),
    (
        ["done", "a1 9.00 lost 9.00", "t1 3 GB", "-", ""],
        "3 GB was delivered for EUR 9.00, and nothing is kept for it. Nothing is charged for it later.",
        "3 GB 已到账，应收 EUR 9.00，未收款。以后不会为此补扣。",
    ),
    (
        ["done", "a1 9.00; x 5.00", "t1 3 GB", "-", ""],
        "EUR 5.00 was charged, and nothing on record explains it. A case is open. No money moves until a person has looked.",
        "扣款 EUR 5.00，没有任何记录可以说明。已登记待查，人工核实之前不会动用款项。",
    ),
];
