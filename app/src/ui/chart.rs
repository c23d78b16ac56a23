//! Charts: bars as one path of our own SVG, drawn in the text's colours and hidden from screen
//! readers; every figure stands in a table that opens under it. What happened on a bar is marked by
//! a shape, not a hue: a diamond for a recharge, a line with a cross where nothing was left.

use crate::text::text;
use crate::ui::el::{Node, el};
use crate::ui::fold::fold;
use crate::ui::live;
use leptos::prelude::*;

/// What is drawn. It may change while one looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chart {
    /// How long each bar is, from left to right, in any one unit.
    pub(crate) heights: Vec<u64>,
    /// The bars with a recharge.
    pub(crate) diamonds: Vec<usize>,
    /// Where nothing was left: the first bar, and how many there are of them in a row.
    pub(crate) dry: Vec<(usize, usize)>,
    /// The longest bar in words, over the top line.
    pub(crate) top: String,
    /// Under the bars: at the beginning, in the middle, at the end.
    pub(crate) ticks: [String; 3],
}

/// The words of its table.
#[derive(Clone, Copy)]
pub(crate) struct TableWords {
    /// What the chart shows.
    pub(crate) caption: &'static str,
    /// Over the columns.
    pub(crate) columns: &'static [&'static str],
}

/// One bar and the gap after it, in the drawing's own units; it is stretched to its place.
const PITCH: usize = 4;
const HIGH: u64 = 100;

/// Bars with the key to their marks and a table. `rows` are asked for while the table is open.
pub(crate) fn bars(
    chart: impl Fn() -> Chart + Send + 'static,
    key: AnyView,
    words: TableWords,
    rows: impl Fn() -> Vec<Vec<String>> + Send + 'static,
) -> AnyView {
    el("figure")
        .class("chart")
        .child(live(move || drawing(chart())))
        .child(key)
        .child(fold("table", text().words.common.as_table, move || table(words, rows())))
        .node()
}

fn drawing(chart: Chart) -> AnyView {
    let count = chart.heights.len();
    let (diamonds, dry) = (chart.diamonds.into_iter(), chart.dry.into_iter());
    el("div")
        .attr("aria-hidden", "true")
        .child(el("p").class("scale").child(chart.top))
        .child(
            el("div")
                .class("plot")
                .child(
                    el("svg")
                        .attr("viewBox", format!("0 0 {} {HIGH}", count * PITCH))
                        .attr("preserveAspectRatio", "none")
                        .child(el("path").attr("d", outline(&chart.heights))),
                )
                .child(diamonds.map(|bar| mark("diamond", (bar, 1), count)).collect::<Vec<_>>())
                .child(dry.map(|run| mark("dry", run, count)).collect::<Vec<_>>()),
        )
        .child(el("p").class("scale ends").child(chart.ticks.map(|tick| el("span").child(tick))))
        .node()
}

/// All bars as one path: a quick redraw while somebody types.
fn outline(heights: &[u64]) -> String {
    let top = heights.iter().copied().max().unwrap_or(0).max(1);
    let mut path = String::new();
    for (height, x) in heights.iter().zip((0..).step_by(PITCH)) {
        // Why rounded up: some use is not no use.
        let high = height.saturating_mul(HIGH).div_ceil(top).min(HIGH);
        if high > 0 {
            path.push_str(&format!("M{x} {HIGH}v-{high}h3v{high}z"));
        }
    }
    path
}

/// A shape over so many bars from the first one on, or on the ground under them.
fn mark(class: &'static str, (first, bars): (usize, usize), count: usize) -> AnyView {
    let share = |bars: usize| {
        let thousandths = bars * 1000 / count.max(1);
        format!("{}.{}%", thousandths / 10, thousandths % 10)
    };
    el("i")
        .class(class)
        .attr("style:inset-inline-start", share(first))
        .attr("style:inline-size", share(bars))
        .node()
}

fn table(words: TableWords, rows: Vec<Vec<String>>) -> AnyView {
    // The first cell names its row; the others are figures.
    let head = words.columns.iter().enumerate().map(|(i, name)| {
        el("th").attr("scope", "col").class(if i > 0 { "num" } else { "" }).child(*name)
    });
    let row = |cells: Vec<String>| {
        let cells = cells.into_iter().enumerate().map(|(i, said)| match i {
            0 => el("th").attr("scope", "row").child(said),
            _ => el("td").class("num").child(said),
        });
        el("tr").child(cells.collect::<Vec<_>>())
    };
    let head = el("tr").child(head.collect::<Vec<_>>());
    let body = rows.into_iter().map(row).collect::<Vec<_>>();
    el("div")
        .class("scroll")
        .attr("tabindex", "0")
        .attr("role", "region")
        .attr("aria-label", words.caption)
        .child(
            el("table")
                .child(el("caption").class("unseen").child(words.caption))
                .child(el("thead").child(head))
                .child(el("tbody").child(body)),
        )
        .node()
}

#[cfg(test)]
mod tests {
    use super::outline;

    #[test]
    fn some_use_is_not_no_use_and_none_is_no_bar() {
        assert_eq!(outline(&[1, 0, 1000]), "M0 100v-1h3v1zM8 100v-100h3v100z");
        assert_eq!(outline(&[0, 0]), "");
    }
}
