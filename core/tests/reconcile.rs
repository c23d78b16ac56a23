//! `tests/cases/reconcile.txt`: our record, the gateway and the carrier side by side, row by row.
//! `reconcile/laws.rs` are properties over worlds that `reconcile/world.rs` makes with the real
//! recharge machine, and into which `reconcile/plant.rs` plants defects.

mod back;
mod laws;
mod plant;
pub(crate) mod world;

use crate::cases::{money, world as account_and_rule, zone};
use laika_core::bytes::{Bytes, DataUnit};
use laika_core::decide::{Cause, Order, Periods};
use laika_core::id::{IdempotencyKey, LineId, PaymentMethodId, RechargeId};
use laika_core::money::{Currency, Money};
use laika_core::recharge::{Fact, Recharge, Status, Step, apply};
use laika_core::reconcile::{
    Barrier, Decided, Decisions, Difference, Dispute, Given, Payment, PaymentState, Reconciliation,
    Refund, RefundState, Remedy, Statement, TopUp, reconcile,
};
use laika_core::record::DecisionRecord;
use laika_core::returns::{
    DisputeStatus, RefundReason, ReturnFact, Returns, apply as apply_return,
};
use laika_core::rule::Adds;
use laika_core::say;
use laika_core::time::{Instant, Span};

const TABLE: &str = include_str!("../../tests/cases/reconcile.txt");

fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

fn line() -> LineId {
    LineId::new("line").expect("an id")
}

fn method(name: &str) -> PaymentMethodId {
    PaymentMethodId::new(name).expect("an id")
}

/// Opens a recharge as the server does.
fn open(line: &LineId, number: u32, version: Option<u32>, order: Order, at: Instant) -> Step {
    let (_, account, _) = account_and_rule();
    Recharge::open(line.clone(), number, version, order, &account.payment_methods, &[], at)
}

/// When the `number`th recharge of a row was opened.
fn opened_at(number: u32) -> Instant {
    at("2026-11-01T09:00:00Z").plus(Span::days(i64::from(number)))
}

fn amount(text: &str) -> Money {
    let (currency, figure) = text.split_once(' ').unwrap_or(("EUR", text));
    let currency = Currency::from_code(currency).expect("a currency");
    let (sign, figure) = figure.strip_prefix('-').map_or((1, figure), |figure| (-1, figure));
    // Why: a field takes less than a statement may have.
    let figure = figure.replace('.', "").parse::<i64>().expect("an amount with its cents");
    Money::new(sign * figure, currency)
}

/// One of our recharges, made by the recharge machine itself.
fn ours(word: &str, number: u32, opened: Instant) -> Recharge {
    let minutes = |n| opened.plus(Span::minutes(n));
    let adds = match word {
        "credit" => Adds::Credit(money("9.00")),
        _ => Adds::Data {
            bytes: Bytes::GB.checked_mul(3).expect("few bytes"),
            steps: 3,
            validity_days: 30,
        },
    };
    let methods = if word == "done by a2" {
        vec![method("card"), method("other")]
    } else {
        vec![method("card")]
    };
    let order = Order { amount: money("9.00"), adds, payment_methods: methods, triggers: vec![] };
    let version = (word != "by hand").then_some(1);
    let captured = |attempt: u32| {
        let place = if number == 1 { String::new() } else { format!("r{number}.") };
        Fact::Captured { attempt, payment: format!("{place}a{attempt}"), amount: money("9.00") }
    };
    let submitted = |attempt| Fact::Submitted { attempt };
    let declined = Fact::Declined { attempt: 1, code: "lost".to_owned(), hard: true };
    let delivered = Fact::Delivered { top_up: format!("t{number}"), delivered_at: None };
    let refunded = Fact::Refunded { attempt: 1, refund: "f".to_owned() };
    let unanswered = Fact::Unanswered { attempt: 1 };
    let (facts, status) = match word {
        "done" | "by hand" | "credit" | "returned" | "partly returned" | "returning"
        | "not returned" | "seen returned" | "lost" | "disputed" => {
            (vec![submitted(1), captured(1), delivered], Status::Done)
        }
        "resent" => {
            let lost = [submitted(1), unanswered, Fact::NotFound { attempt: 1 }];
            let again = [submitted(1), captured(1), delivered];
            (lost.into_iter().chain(again).collect(), Status::Done)
        }
        "done by a2" => {
            (vec![submitted(1), declined, submitted(2), captured(2), delivered], Status::Done)
        }
        "refunded" => {
            let asked = [Fact::NotDelivered, Fact::NotDelivered];
            let facts = [submitted(1), captured(1)].into_iter().chain(asked);
            (facts.chain([refunded]).collect(), Status::Refunded)
        }
        "after all" => {
            let asked = [Fact::NotDelivered, Fact::NotDelivered];
            let facts = [submitted(1), captured(1)].into_iter().chain(asked);
            (facts.chain([delivered, refunded]).collect(), Status::Refunded)
        }
        "failed" => (vec![submitted(1), declined], Status::Failed),
        "late" | "found later" => (vec![submitted(1), declined, captured(1)], Status::Failed),
        "cancelled" => (vec![Fact::Stopped], Status::Cancelled),
        "paid" => (vec![submitted(1), captured(1)], Status::Paid),
        "unknown" => (vec![submitted(1), unanswered], Status::Unknown),
        other => panic!("what is {other:?}?"),
    };
    let mut recharge = open(&line(), number, version, order, opened).recharge;
    for (minute, fact) in facts.iter().enumerate() {
        // Why: the second refusal of the carrier comes after its hour.
        let late = match (word, minute) {
            ("found later", 2) => 3 * 24 * 60,
            (_, 3..) => 60,
            _ => 0,
        };
        recharge = apply(recharge, fact, minutes(minute as i64 + late)).recharge;
    }
    assert_eq!(recharge.status, status, "{word}");
    recharge
}

/// What our record has of the money that went back after the end.
fn returned(word: &str, recharge: &Recharge) -> Vec<Returns> {
    let asked =
        |euros| ReturnFact::RefundAsked { amount: money(euros), why: RefundReason::Operator };
    let refunded = |euros, key| {
        let refund = "f".to_owned();
        ReturnFact::Refunded { key, refund, amount: money(euros) }
    };
    let disputed = |status| {
        let (dispute, amount) = ("d".to_owned(), money("9.00"));
        ReturnFact::Disputed { dispute, amount, status, instead: false }
    };
    let ours = Some(IdempotencyKey::of_later_refund(&recharge.id, 1, 1));
    let facts = match word {
        "returned" => vec![asked("9.00"), refunded("9.00", ours)],
        "partly returned" => vec![asked("4.00"), refunded("4.00", ours)],
        "returning" => vec![asked("4.00")],
        "not returned" => {
            let refused = ReturnFact::RefundFailed { number: 1, code: "no".to_owned() };
            vec![asked("4.00"), refused]
        }
        "seen returned" => vec![refunded("9.00", None)],
        "lost" => vec![disputed(DisputeStatus::Lost)],
        "disputed" => vec![disputed(DisputeStatus::Open)],
        _ => return vec![],
    };
    let returns = Returns::of(recharge, 1).expect("a captured payment");
    let later = recharge.opened_at.plus(Span::hours(1));
    let after = |returns, fact: &ReturnFact| apply_return(returns, fact, later).returns;
    vec![facts.iter().fold(returns, after)]
}

/// `a1 9.00 back 4.00 5.00 failed lost 2.00`.
fn payment(text: &str) -> Payment {
    let mut words = text.split(' ').peekable();
    let id = words.next().expect("a name").to_owned();
    let (place, attempt) = id.split_once('.').unwrap_or(("r1", &id));
    let number: Option<u32> = place.strip_prefix('r').and_then(|n| n.parse().ok());
    let attempt = attempt.strip_prefix('a').map(|n| n.trim_end_matches('b'));
    let attempt: Option<u32> = attempt.and_then(|n| n.parse().ok());
    let key = number.zip(attempt).map(|(number, attempt)| {
        IdempotencyKey::of_attempt(&RechargeId::derive(&line(), number), attempt)
    });
    let created_at = opened_at(number.unwrap_or(1)).plus(Span::seconds(1));
    let captured_at = created_at.plus(Span::seconds(if id.ends_with('b') { 9 } else { 1 }));
    let changed_at = created_at.plus(Span::hours(2));
    let first = words.next().expect("a state or an amount");
    let state = match first {
        "no" => PaymentState::NotCharged,
        "open" => PaymentState::Open,
        "USD" => {
            let amount = amount(&format!("USD {}", words.next().expect("an amount")));
            PaymentState::Captured { amount, captured_at }
        }
        euros => PaymentState::Captured { amount: amount(euros), captured_at },
    };
    let (mut refunds, mut disputes) = (vec![], vec![]);
    let mut about = "";
    for word in words {
        let name = || format!("{id}-{}", word.len());
        match word {
            "back" | "lost" | "won" | "disputed" => about = word,
            "open" => refunds.iter_mut().for_each(|r: &mut Refund| r.state = RefundState::Open),
            "failed" => refunds.iter_mut().for_each(|r| r.state = RefundState::Failed),
            figure if about == "back" => {
                let id = format!("{}-{}", name(), refunds.len());
                let amount_minor = amount(figure).amount_minor;
                refunds.push(Refund { id, amount_minor, state: RefundState::Done, changed_at });
            }
            figure => {
                let withdrawn_minor = amount(figure).amount_minor;
                let reinstated_minor = if about == "won" { withdrawn_minor } else { 0 };
                let id = format!("{}-{}", name(), disputes.len());
                let open = about == "disputed";
                disputes.push(Dispute { id, open, withdrawn_minor, reinstated_minor, changed_at });
            }
        }
    }
    Payment { id, key, created_at, state, refunds, disputes }
}

/// `t1 3 GB`, `t1b EUR 9.00`, `tx 3 GB`.
fn top_up(text: &str) -> TopUp {
    let (id, what) = text.split_once(' ').expect("a name and what came");
    let number = id.trim_matches(|c: char| c.is_alphabetic()).parse().ok();
    let key = number.map(|n| IdempotencyKey::of_top_up(&RechargeId::derive(&line(), n)));
    let given = match what.strip_suffix(" GB") {
        Some(data) => {
            let bytes = Bytes::parse(data, DataUnit::GB).expect("an amount of data");
            Given { bytes, credit: None }
        }
        None => Given { bytes: Bytes::ZERO, credit: Some(amount(what)) },
    };
    let delivered_at = opened_at(number.unwrap_or(1)).plus(Span::minutes(2));
    TopUp { id: id.to_owned(), key, given, delivered_at }
}

/// The three sides of a row, and when they are compared.
struct Sides {
    decisions: Decisions,
    gateway: Statement<Payment>,
    carrier: Statement<TopUp>,
    as_of: Instant,
}

impl Sides {
    fn compared(&self) -> Reconciliation {
        reconcile(&self.decisions, &self.gateway, &self.carrier, self.as_of).expect("small sums")
    }
}

/// The cells of a list, `-` for none.
fn list(cell: &str) -> Vec<&str> {
    cell.split("; ").map(str::trim).filter(|word| *word != "-").collect()
}

fn sides(cells: &[&str]) -> Sides {
    let [ours_cell, gateway, carrier, but, _] = cells else { panic!("{cells:?}") };
    let buts: Vec<&str> = but.split(", ").collect();
    let words = list(ours_cell);
    let (mut rule, mut account, history) = account_and_rule();
    if buts.contains(&"moved") {
        let (before, moved) = (zone("America/New_York"), at("2026-11-30T23:30:00Z"));
        account.kept_periods = Some(Periods::kept(&before, None, &account.zone, moved));
    }
    rule.limits.cap_per_month = buts.iter().find_map(|b| b.strip_prefix("cap ")).map(money);
    let last = buts.iter().find_map(|b| b.strip_prefix("last ")).map(at);
    let decided = (1..).zip(&words).map(|(number, word)| {
        let opened = last.filter(|_| number as usize == words.len()).unwrap_or(opened_at(number));
        let cause = Cause::Usage;
        let record = DecisionRecord::make(&rule, &account, &history, &cause, opened);
        let recharge = ours(word, number, opened);
        let returns = returned(word, &recharge);
        Decided::of(recharge, Some(&record), returns)
    });
    let (begin, end) = (at("2026-11-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let mut sides = Sides {
        decisions: Decisions { recharges: decided.collect(), barriers: vec![] },
        gateway: Statement {
            from: begin,
            until: end,
            rows: list(gateway).into_iter().map(payment).collect(),
        },
        carrier: Statement {
            from: begin,
            until: end,
            rows: list(carrier).into_iter().map(top_up).collect(),
        },
        as_of: end,
    };
    for but in buts {
        change(but, &mut sides);
    }
    sides
}

fn change(but: &str, sides: &mut Sides) {
    let sent = opened_at(1);
    let (before, after) = (sent.minus(Span(1)), sent.plus(Span(1)));
    // The newest of the first recharge is its delivery, two minutes after it was opened.
    let newest = sent.plus(Span::minutes(2));
    let mut barrier = |from, until, payment_method_id| {
        let line_id = line();
        sides.decisions.barriers.push(Barrier { line_id, payment_method_id, from, until });
    };
    match but {
        "-" => {}
        "off before" => barrier(before, None, None),
        "off that instant" => barrier(sent, None, None),
        "off afterwards" => barrier(after, None, None),
        "off between" => barrier(sent.plus(Span::minutes(30)), None, None),
        "off until then" => barrier(before, Some(sent), None),
        "card removed" => barrier(before, None, Some(method("card"))),
        "other removed" => barrier(before, None, Some(method("other"))),
        "made later" => sides.gateway.rows[0].created_at = sent.plus(Span::hours(2)),
        "moved" => {}
        "after 24 h" => sides.as_of = newest.plus(Span::hours(24)),
        "before 24 h" => sides.as_of = newest.plus(Span::hours(24)).minus(Span(1)),
        "within a day" => sides.as_of = sent.plus(Span::hours(24)),
        "carrier is late" => sides.carrier.until = newest.plus(Span::hours(24)).minus(Span(1)),
        "gateway is late" => sides.gateway.until = newest.plus(Span::hours(24)).minus(Span(1)),
        "gateway begins later" => sides.gateway.from = after,
        "carrier begins later" => sides.carrier.from = after,
        cap_or_last => assert!(
            cap_or_last.starts_with("cap ") || cap_or_last.starts_with("last "),
            "what is {cap_or_last:?}?"
        ),
    }
}

fn figure(money: &Money) -> String {
    let figure = say::amount(*money);
    let euro = money.currency.code() == "EUR";
    if euro { figure } else { format!("{} {figure}", money.currency) }
}

fn joined(figures: Vec<String>) -> String {
    if figures.is_empty() { "-".to_owned() } else { figures.join(" + ") }
}

/// A difference as the table has it.
fn written(difference: &Difference) -> String {
    let about = difference.payment.iter().chain(&difference.top_up).next();
    let about = about.map_or(String::new(), |name| format!(" {name}"));
    let expected = difference.expected.as_ref().map_or("?".to_owned(), figure);
    let charged = joined(difference.charged.iter().map(figure).collect());
    let came = difference.credited.iter().map(|given| match given.credit {
        Some(credit) => say::money(credit),
        None => say::bytes_exact(given.bytes),
    });
    let came = joined(came.collect());
    let remedy = match &difference.remedy {
        Remedy::Refund { payment, amount } => {
            assert_eq!(Some(payment), difference.payment.as_ref(), "one payment is meant");
            format!("refund {}", figure(amount))
        }
        other @ (Remedy::NeverCharged | Remedy::Case) => other.code().to_owned(),
    };
    format!("{}{about}: {expected} / {charged} / {came}, {remedy}", difference.kind.code())
}

/// The rows of the table, each with its cells.
fn rows() -> Vec<Vec<&'static str>> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|row| row.split('|').map(str::trim).collect()).collect()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_row_of_the_table_is_found_as_it_says() {
    let rows = rows();
    for cells in &rows {
        let found = sides(cells).compared();
        let told: Vec<String> = found.differences.iter().map(written).collect();
        let told = if told.is_empty() { "-".to_owned() } else { told.join("; ") };
        assert_eq!(cells.last().copied(), Some(told.as_str()), "{}", cells.join(" | "));
    }
    assert!(rows.len() > 100, "only {} rows were read", rows.len());
}

/// Sent again in a later month, after the account may have moved: only what lies in that month
/// wherever the account lives counts against the cap, so that nothing goes back on a guess.
#[test]
fn what_is_sent_again_in_another_month_counts_in_the_zone_of_nobody_knows_where() {
    let (mut rule, mut account, history) = account_and_rule();
    account.zone = zone("America/New_York");
    rule.limits.cap_per_month = Some(money("10.00"));
    let month_of = |reserved: &str| {
        let opened = at("2026-11-30T12:00:00Z");
        let record = DecisionRecord::make(&rule, &account, &history, &Cause::Usage, opened);
        let mut recharge = ours("done", 2, opened);
        recharge.reserved_at = at(reserved);
        Decided::of(recharge, Some(&record), vec![]).cap.map(|cap| cap.month.from.to_string())
    };
    assert_eq!(month_of("2026-12-01T04:59:59Z").as_deref(), Some("2026-11-01T04:00:00Z"));
    assert_eq!(month_of("2026-12-01T05:00:00Z").as_deref(), Some("2026-12-02T07:00:00Z"));
}
