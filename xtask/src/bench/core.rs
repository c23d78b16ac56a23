//! `cargo xtask bench core`: how fast the rules are typed, as JSON beside a peer, in WASM and on a
//! slow phone's screen. Every answer is compared before its time counts.

use std::path::Path;

use super::figure::{Figure, Goal, median};
use super::module::{self, Built};
use super::parts;
use super::side::{Side, in_turns, ratio};
use crate::command::Cmd;
use crate::tools::{self, BenchTools, Place};
use crate::{Failure, Result, test};

/// The situations, the mix of them first. The mix has 240 looks that are not due, 8 that recharge,
/// 4 at the cap and 4 that cool down.
const KINDS: [&str; 7] = ["mix", "not_due", "recharge", "cap", "cool_down", "dated", "notice"];
const DECISIONS: u32 = 500_000;
const RANDOM_WORLDS: u32 = 10_000_000;
const EQUAL_TEXTS: u32 = 100_000;
const TEXTS: u32 = 10_000;
const SCHEDULES: u32 = 300;
const PREVIEWS: u32 = 20;
/// How much slower than this machine the customer's is.
const SLOWER: u32 = 4;

struct Sides {
    native: Side,
    node: Side,
    chromium: Side,
    /// The module as the app's, in a page.
    screen: Side,
}

/// Builds, measures, and ends with one line per figure.
pub(super) fn bench(place: &Place) -> Result {
    let tools = tools::for_bench(place)?;
    test::packages(place, &tools.node)?;
    let built = module::build(place, &tools)?;
    let mut sides = start(place, &tools, &built)?;
    let mut figures = vec![];
    println!("== every side decides alike");
    decides_alike(&mut sides)?;
    println!("== decide, in turns natively, in Node and in Chromium");
    figures.extend(typed(&mut sides)?);
    println!("== JSON in, JSON out, in turns with the peer");
    figures.extend(json(&mut sides.native)?);
    println!("== schedules");
    figures.extend(schedules(&mut sides.native)?);
    println!("== the preview, in Chromium, {SLOWER} times slower");
    figures.extend(preview(&mut sides)?);
    println!("== the app's module, taken apart");
    figures.extend(parts::weigh(place, &tools)?);
    println!("\n{}", "-".repeat(100));
    for figure in &figures {
        println!("{figure}");
    }
    Ok(())
}

fn start(place: &Place, tools: &BenchTools, built: &Built) -> Result<Sides> {
    let script = place.root.join("tests/bench/side.mjs").display().to_string();
    let wasm = |name, kind: &str, folder: &Path| {
        let cmd = Cmd::at(&place.root, &tools.node)
            .env("LAIKA_CHROMIUM", tools.chromium.display().to_string())
            .arg(&script)
            .arg(kind)
            .arg(folder.display().to_string());
        Side::start(name, &cmd)
    };
    Ok(Sides {
        native: Side::start("native", &Cmd::at(&place.root, &built.native))?,
        node: wasm("Node", "node", &built.quick)?,
        chromium: wasm("Chromium", "chromium", &built.quick)?,
        screen: wasm("Chromium, as the app", "chromium", &built.small)?,
    })
}

/// Whole decisions of every kind, then many random ones.
fn decides_alike(sides: &mut Sides) -> Result {
    let alike = |sides: &mut Sides, words: &str| -> Result {
        let known = sides.native.ask(words)?.sum;
        for side in [&mut sides.node, &mut sides.chromium, &mut sides.screen] {
            if side.ask(words)?.sum != known {
                return Err(Failure::new(format!("{} differs: {words}", side.name)));
            }
        }
        Ok(())
    };
    for kind in KINDS {
        alike(sides, &format!("all {kind}"))?;
    }
    let step = RANDOM_WORLDS / 10;
    for seed in 1..=10 {
        alike(sides, &format!("random {seed} {step}"))?;
        println!("{} random worlds, no difference", seed * step);
    }
    alike(sides, "next 1")?;
    alike(sides, "preview all 1")
}

fn typed(sides: &mut Sides) -> Result<Vec<Figure>> {
    let words = |kind| format!("decide {kind} {DECISIONS}");
    let millions = |times: &[f64]| f64::from(DECISIONS) / 1e6 / median(times);
    let Sides { native, node, chromium, .. } = sides;
    let mix = words("mix");
    let turns = [(0, mix.as_str()), (1, mix.as_str()), (2, mix.as_str())];
    let times = in_turns(&mut [native, node, chromium], &turns, true)?;
    let [native, node, chromium] = times.as_slice() else { return Ok(vec![]) };
    let half = Goal::AtLeast(0.5);
    let mut figures = vec![
        Figure::new("decide, native, mix", millions(native), "M/s", Goal::AtLeast(5.0)),
        Figure::new("decide, mix, Node against native", ratio(native, node), "x", half),
        Figure::new("decide, mix, Chromium against native", ratio(native, chromium), "x", half),
    ];
    let kinds = KINDS.iter().filter(|kind| **kind != "mix");
    for kind in kinds {
        let times = in_turns(&mut [&mut sides.native], &[(0, &words(kind))], true)?;
        let name = format!("decide, native, {kind}");
        figures.extend(times.first().map(|it| Figure::new(name, millions(it), "M/s", Goal::None)));
    }
    Ok(figures)
}

fn json(native: &mut Side) -> Result<Vec<Figure>> {
    let said = native.ask(&format!("agree {EQUAL_TEXTS}"))?.sum;
    println!("{EQUAL_TEXTS} random texts answered alike: {said}");
    let mut figures = vec![];
    for (what, kind, goal) in [
        ("json", "random", Goal::AtLeast(10.0)),
        ("json", "mix", Goal::None),
        ("other", "random", Goal::None),
        ("parsed", "random", Goal::None),
    ] {
        let words = |side| format!("{what} {side} {kind} {TEXTS}");
        let (ours, peer) = (words("ours"), words("peer"));
        let times = in_turns(&mut [&mut *native], &[(0, &ours), (0, &peer)], false)?;
        let [ours, peer] = times.as_slice() else { continue };
        let each = |times| median(times) * 1e6 / f64::from(TEXTS);
        let name = match what {
            "json" => format!("JSON in, JSON out, {kind}"),
            "other" => format!("the same, fields in another order, {kind}"),
            _ => format!("the same, JSON read before, {kind}"),
        };
        figures.push(Figure::new(format!("{name}: ours"), each(ours), "us", Goal::None));
        figures.push(Figure::new(format!("{name}: GoRules ZEN"), each(peer), "us", Goal::None));
        figures.push(Figure::new(format!("{name}: times quicker"), ratio(peer, ours), "x", goal));
    }
    Ok(figures)
}

fn schedules(native: &mut Side) -> Result<Vec<Figure>> {
    const TIMES: u32 = 100;
    let mut slowest = 0.0_f64;
    for number in 0..SCHEDULES {
        let words = format!("one {number} {TIMES}");
        let times = in_turns(&mut [&mut *native], &[(0, &words)], true)?;
        let seconds = times.first().map_or(f64::NAN, |it| median(it));
        slowest = slowest.max(seconds * 1e6 / f64::from(TIMES));
    }
    let times = in_turns(&mut [native], &[(0, "next 20"), (0, "days 20")], true)?;
    let [rule, days] = times.as_slice() else { return Ok(vec![]) };
    let mean = median(rule) * 1e6 / f64::from(20 * SCHEDULES);
    let name = "the next 12 instants of a schedule";
    let walking = format!("{name}: quicker than walking the days");
    Ok(vec![
        Figure::new(format!("{name}, mean of {SCHEDULES}"), mean, "us", Goal::None),
        Figure::new(format!("{name}, the slowest"), slowest, "us", Goal::AtMost(50.0)),
        Figure::new(walking, ratio(days, rule), "x", Goal::None),
    ])
}

fn preview(sides: &mut Sides) -> Result<Vec<Figure>> {
    let mut figures = vec![];
    let Sides { native, screen, .. } = sides;
    for kind in ["low", "all", "dates"] {
        let words = format!("preview {kind} {PREVIEWS}");
        let mut each = |slower: u32| -> Result<[f64; 2]> {
            screen.ask(&format!("slow {slower}"))?;
            let turns = [(0, words.as_str()), (1, words.as_str())];
            let times = in_turns(&mut [&mut *native, &mut *screen], &turns, true)?;
            let each = |times: &Vec<f64>| median(times) * 1e3 / f64::from(PREVIEWS);
            Ok([times.first().map_or(f64::NAN, each), times.get(1).map_or(f64::NAN, each)])
        };
        let [native, quick] = each(1)?;
        let [_, slow] = each(SLOWER)?;
        let name = |of: &str| format!("preview and replay, {kind}, {of}");
        let slower = name(&format!("the same {SLOWER} times slower"));
        figures.extend([
            Figure::new(name("native"), native, "ms", Goal::None),
            Figure::new(name("in Chromium as the app"), quick, "ms", Goal::None),
            Figure::new(slower, slow, "ms", Goal::AtMost(16.0)),
        ]);
    }
    Ok(figures)
}
