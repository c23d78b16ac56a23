//! Charts: own SVG, drawn in the text's colour set, hidden from screen readers, with every figure
//! in a table that opens under it. Recharges are diamonds: a shape, not a hue.

use crate::text::text;
use crate::ui::el::{Node, el};
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
        .collect::<Vec<_>>();
    let [first, middle, last] = words.ticks.clone();
    let frame = format!("0 0 {WIDE} {}", HIGH + 18);
    el("figure")
        .child(
            el("svg")
                .class("chart")
                .attr("viewBox", frame)
                .attr("aria-hidden", "true")
                .child(
                    el("path").class("rule").attr("d", format!("M0 {HIGH}.5h{WIDE}M0 12.5h{WIDE}")),
                )
                .child(el("text").attr("x", "0").attr("y", "9").child(words.top.clone()))
                .child(marks)
                .child(el("text").attr("x", "0").attr("y", HIGH + 15).child(first))
                .child(
                    el("text")
                        .attr("x", WIDE / 2)
                        .attr("y", HIGH + 15)
                        .attr("text-anchor", "middle")
                        .child(middle),
                )
                .child(
                    el("text")
                        .attr("x", WIDE)
                        .attr("y", HIGH + 15)
                        .attr("text-anchor", "end")
                        .child(last),
                ),
        )
        .child(table(&bars, &words))
        .node()
}

fn mark(bar: &Bar, x: u32, wide: u32, top: u64) -> AnyView {
    let room = u64::from(HIGH - 14);
    // Why at least 1: some use is not no use.
    let high = (u128::from(bar.value) * u128::from(room)).div_ceil(u128::from(top));
    let high = u32::try_from(high).unwrap_or(HIGH);
    let middle = x + wide / 2;
    el("g")
        .child((high > 0).then(|| {
            el("rect")
                .class("mark")
                .attr("x", x)
                .attr("y", HIGH - high)
                .attr("width", wide)
                .attr("height", high)
                .attr("rx", "1.5")
        }))
        .child(
            bar.recharge.then(|| {
                el("path").class("diamond").attr("d", format!("M{middle} 14l5 5-5 5-5-5z"))
            }),
        )
        .node()
}

fn table(bars: &[Bar], words: &ChartWords) -> AnyView {
    let rows = bars
        .iter()
        .map(|bar| {
            let (name, said) = (bar.name.clone(), bar.said.clone());
            el("tr")
                .child(el("th").attr("scope", "row").child(name))
                .child(el("td").class("num").child(said))
        })
        .collect::<Vec<_>>();
    el("details")
        .class("table")
        .child(el("summary").child(text().words.common.as_table))
        .child(
            el("div")
                .class("scroll")
                .attr("tabindex", "0")
                .attr("role", "region")
                .attr("aria-label", words.caption.clone())
                .child(
                    el("table")
                        .child(el("caption").class("unseen").child(words.caption.clone()))
                        .child(el("thead").child(
                            el("tr").child(el("th").attr("scope", "col").child(words.name)).child(
                                el("th").attr("scope", "col").class("num").child(words.value),
                            ),
                        ))
                        .child(el("tbody").child(rows)),
                ),
        )
        .node()
}
