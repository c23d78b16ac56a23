//! Charts: own SVG, drawn in the text's colour set, hidden from screen readers, with every figure
//! in a table that opens under it. Recharges are diamonds: a shape, not a hue.

use crate::text::text;
use leptos::prelude::*;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    /// What it is of, for the table: `14:00`.
    pub(crate) name: String,
    /// How long it is, in any one unit.
    pub(crate) value: u64,
    /// The same in words: `120 MB`.
    pub(crate) said: String,
    /// Whether a recharge happened then.
    pub(crate) recharge: bool,
}

/// The words round a chart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChartWords {
    /// What it shows; the table's caption.
    pub(crate) caption: String,
    /// Over the names in the table.
    pub(crate) name: &'static str,
    /// Over the figures in the table.
    pub(crate) value: &'static str,
    /// Under the bars: at the left end, in the middle, at the right end.
    pub(crate) ticks: [String; 3],
    /// The longest bar in words, beside the top line.
    pub(crate) top: String,
}

const WIDE: u32 = 320;
const HIGH: u32 = 88;

/// Bars from left to right, with a table.
pub(crate) fn bars(bars: Vec<Bar>, words: ChartWords) -> AnyView {
    let top = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    let count = u32::try_from(bars.len()).unwrap_or(1).max(1);
    let marks = bars
        .iter()
        .zip(0u32..)
        .map(|(bar, i)| mark(bar, i * WIDE / count, (WIDE / count).saturating_sub(2).max(1), top))
        .collect_view();
    let [first, middle, last] = words.ticks.clone();
    let frame = format!("0 0 {WIDE} {}", HIGH + 18);
    view! {
        <figure>
            <svg class="chart" viewBox=frame aria-hidden="true">
                <path class="rule" d=format!("M0 {HIGH}.5h{WIDE}M0 12.5h{WIDE}")></path>
                <text x="0" y="9">{words.top.clone()}</text>
                {marks}
                <text x="0" y=HIGH + 15>{first}</text>
                <text x=WIDE / 2 y=HIGH + 15 text-anchor="middle">{middle}</text>
                <text x=WIDE y=HIGH + 15 text-anchor="end">{last}</text>
            </svg>
            {table(&bars, &words)}
        </figure>
    }
    .into_any()
}

fn mark(bar: &Bar, x: u32, wide: u32, top: u64) -> AnyView {
    let room = u64::from(HIGH - 14);
    // Why at least 1: some use is not no use.
    let high = (u128::from(bar.value) * u128::from(room)).div_ceil(u128::from(top));
    let high = u32::try_from(high).unwrap_or(HIGH);
    let middle = x + wide / 2;
    view! {
        <g>
            {(high > 0)
                .then(|| {
                    view! {
                        <rect class="mark" x=x y=HIGH - high width=wide height=high rx="1.5"></rect>
                    }
                })}
            {bar
                .recharge
                .then(|| {
                    view! { <path class="diamond" d=format!("M{middle} 14l5 5-5 5-5-5z")></path> }
                })}
        </g>
    }
    .into_any()
}

fn table(bars: &[Bar], words: &ChartWords) -> AnyView {
    let rows = bars
        .iter()
        .map(|bar| {
            let (name, said) = (bar.name.clone(), bar.said.clone());
            view! { <tr><th scope="row">{name}</th><td class="num">{said}</td></tr> }
        })
        .collect_view();
    view! {
        <details class="table">
            <summary>{text().words.common.as_table}</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=words.caption.clone()>
                <table>
                    <caption class="unseen">{words.caption.clone()}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{words.name}</th>
                            <th scope="col" class="num">{words.value}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
    .into_any()
}
