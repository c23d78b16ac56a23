//! GoRules ZEN beside our rules: the same JSON text in, a decision as JSON out. `rule.jdm.json` is
//! the low-balance rule in its language: facts, a table of what stands in the way in order of
//! precedence, then, only where the rule is due, sums and a table of limits. It leaves out dates,
//! expiries, announcements, the wallets' rails and agreements, retry ladders, other amounts than a
//! target, and changes of zone; our side decides all of those as well.

use crate::dice::Dice;
use crate::worlds::{self, World};
use laika_core::api::query::DecideQuery;
use laika_core::decide::{Decision, Reason};
use serde_json::Value;
use std::cell::RefCell;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use zen_engine::model::DecisionContent;
use zen_engine::{Decision as Graph, DecisionEngine};
use zen_expression::variable::Variable;

const JDM: &str = include_str!("../rule.jdm.json");

thread_local! {
    static GRAPH: Graph = graph();
    /// The texts of the kind asked for last.
    static TEXTS: RefCell<(String, Vec<String>)> = const { RefCell::new((String::new(), vec![])) };
}

/// Read and compiled once, as its documentation says.
fn graph() -> Graph {
    let content: DecisionContent = serde_json::from_str(JDM).expect("a decision graph");
    let mut graph =
        DecisionEngine::default().create_decision(content.into()).expect("not a policy");
    graph.compile();
    graph
}

fn text(world: &World) -> String {
    let World { rule, account, history, cause, now } = world.clone();
    serde_json::to_string(&DecideQuery { rule, account, history, cause, now }).expect("JSON")
}

fn ours(text: &str) -> String {
    let query: DecideQuery = serde_json::from_str(text).expect("a query");
    serde_json::to_string(&query.answer()).expect("JSON")
}

fn theirs(graph: &Graph, text: &str) -> String {
    let input: Variable = serde_json::from_str(text).expect("JSON");
    let mut answer = pin!(graph.evaluate(input));
    // Why: nothing in this graph waits for anything, so no runtime is paid for.
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => {
            serde_json::to_string(&answer.expect("an answer").result).expect("JSON")
        }
        Poll::Pending => panic!("the graph waits"),
    }
}

fn with_texts<T>(kind: &str, work: impl FnOnce(&[String]) -> T) -> T {
    TEXTS.with_borrow_mut(|(known, texts)| {
        if known != kind {
            *texts = match kind {
                "random" => {
                    let mut dice = Dice(1000);
                    (0..1000).map(|_| text(&worlds::random(&mut dice))).collect()
                }
                kind => worlds::of_kind(kind).iter().map(text).collect(),
            };
            *known = kind.to_owned();
        }
        work(texts)
    })
}

/// So many texts of a kind answered by one side.
pub(crate) fn json_many(side: &str, kind: &str, count: u64) -> u64 {
    let answered = |answer: &dyn Fn(&str) -> String| {
        with_texts(kind, |texts| {
            let stream = texts.iter().cycle().zip(0..count);
            stream
                .fold(0_u64, |sum, (text, _)| sum + black_box(answer(black_box(text))).len() as u64)
        })
    };
    match side {
        "ours" => answered(&ours),
        "peer" => GRAPH.with(|graph| answered(&|text| theirs(graph, text))),
        other => panic!("no side is called {other:?}"),
    }
}

/// How many of so many random texts both sides answer alike; the first that differs ends it.
pub(crate) fn agree(count: u64) -> String {
    let mut dice = Dice(100_000);
    let mut codes = std::collections::BTreeMap::<String, u64>::new();
    GRAPH.with(|graph| {
        for _ in 0..count {
            let text = text(&worlds::random(&mut dice));
            let (ours, theirs) = (ours(&text), theirs(graph, &text));
            let decision: Decision = serde_json::from_str(&ours).expect("a decision");
            let value: Value = serde_json::from_str(&theirs).expect("JSON");
            let code = decision.reason().map_or("recharge", Reason::code);
            let amount = match &decision {
                Decision::Recharge { order } => Value::from(order.amount.amount_minor),
                Decision::Wait { .. } | Decision::Skip { .. } => Value::Null,
            };
            let same = value["answer"] == code && value["amount_minor"] == amount;
            assert!(same, "{ours}\n{theirs}\n{text}");
            *codes.entry(code.to_owned()).or_default() += 1;
        }
    });
    format!("{codes:?}")
}
