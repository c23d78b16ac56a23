//! GoRules ZEN beside our rules: the same JSON text in, a decision as JSON out. The text is as our
//! types write it, as the server keeps it and as the peer reads it too; ours is read by
//! `core::json`, the peer's by `serde_json` straight into its own values. `rule.jdm.json` is
//! the low-balance rule in its language: facts, a table of what stands in the way in order of
//! precedence, then, only where the rule is due, sums and a table of limits. It leaves out dates,
//! expiries, announcements, the wallets' rails and agreements, retry ladders, other amounts than a
//! target, and changes of zone; our side decides all of those as well.

use crate::dice::Dice;
use crate::worlds::{self, World};
use laika_core::api::query::DecideQuery;
use laika_core::decide::{Decision, Reason};
use laika_core::json;
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
    /// What is asked again and again: making it is not what is measured.
    static STREAM: RefCell<Stream> = RefCell::default();
}

/// Inputs of one kind: as text, and as each side has them once they are read.
#[derive(Default)]
struct Stream {
    kind: String,
    texts: Vec<String>,
    /// The same with its fields in the order of the alphabet, one a line.
    others: Vec<String>,
    ours: Vec<DecideQuery>,
    theirs: Vec<Variable>,
}

impl Stream {
    fn of(kind: &str) -> Stream {
        let mut dice = Dice(1000);
        let worlds = match kind {
            "random" => (0..1000).map(|_| worlds::random(&mut dice)).collect(),
            kind => worlds::of_kind(kind),
        };
        let texts: Vec<String> = worlds.iter().map(text).collect();
        let others = texts.iter().map(|text| otherwise(text)).collect();
        let ours = texts.iter().map(|text| read(text)).collect();
        let theirs = texts.iter().map(|text| read_for_peer(text)).collect();
        Stream { kind: kind.to_owned(), texts, others, ours, theirs }
    }

    fn with<T>(kind: &str, work: impl FnOnce(&Stream) -> T) -> T {
        STREAM.with_borrow_mut(|stream| {
            if stream.kind != kind {
                *stream = Stream::of(kind);
            }
            work(stream)
        })
    }
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

fn otherwise(text: &str) -> String {
    let value: Value = serde_json::from_str(text).expect("JSON");
    serde_json::to_string_pretty(&value).expect("JSON")
}

fn read(text: &str) -> DecideQuery {
    json::read(text).expect("a query")
}

fn read_for_peer(text: &str) -> Variable {
    serde_json::from_str(text).expect("JSON")
}

fn ours(text: &str) -> String {
    String::from_utf8(json::write(&read(text).answer()).expect("JSON")).expect("UTF-8")
}

fn theirs(graph: &Graph, text: &str) -> String {
    serde_json::to_string(&evaluate(graph, read_for_peer(text))).expect("JSON")
}

fn evaluate(graph: &Graph, input: Variable) -> Variable {
    let mut answer = pin!(graph.evaluate(input));
    // Why: nothing in this graph waits for anything, so no runtime is paid for.
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.expect("an answer").result,
        Poll::Pending => panic!("the graph waits"),
    }
}

/// So many answers of one side: `json` from text to text, `other` from a text that is not written
/// as our types write it, `parsed` from what was read before.
pub(crate) fn answer_many(what: &str, side: &str, kind: &str, count: u64) -> u64 {
    let length = |answer: String| answer.len() as u64;
    Stream::with(kind, |stream| {
        let each = |answer: &dyn Fn(usize) -> u64| {
            (0..count).map(|number| number as usize % stream.texts.len()).map(answer).sum()
        };
        GRAPH.with(|graph| match (what, side) {
            ("json", "ours") => each(&|at| length(ours(black_box(&stream.texts[at])))),
            ("json", "peer") => each(&|at| length(theirs(graph, black_box(&stream.texts[at])))),
            ("other", "ours") => each(&|at| length(ours(black_box(&stream.others[at])))),
            ("other", "peer") => each(&|at| length(theirs(graph, black_box(&stream.others[at])))),
            ("parsed", "ours") => each(&|at| {
                black_box(black_box(&stream.ours[at]).answer());
                1
            }),
            ("parsed", "peer") => each(&|at| {
                black_box(evaluate(graph, black_box(&stream.theirs[at]).clone()));
                1
            }),
            other => panic!("what is {other:?}?"),
        })
    })
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
