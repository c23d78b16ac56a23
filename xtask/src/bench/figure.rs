//! One line per figure: name, value, goal, held or not. Medians over rounds that were measured in
//! turns, and ratios within each round, so that a noisy machine is noisy for all sides.

use std::fmt;

/// What was measured and what it should be.
pub(super) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    goal: Goal,
}

/// Where a figure should be.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// Nowhere: told because it helps to read the others.
    None,
}

impl Figure {
    pub(super) fn new(name: impl Into<String>, value: f64, unit: &'static str, goal: Goal) -> Self {
        let figure = Self { name: name.into(), value, unit, goal };
        println!("{figure}");
        figure
    }
}

impl Goal {
    fn held(self, value: f64) -> Option<bool> {
        match self {
            Goal::AtLeast(least) => Some(value >= least),
            Goal::AtMost(most) => Some(value <= most),
            Goal::None => None,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, unit, goal } = self;
        let said = format!("{} {unit}", short(*value));
        let goal_said = match goal {
            Goal::AtLeast(least) => format!(">= {} {unit}", short(*least)),
            Goal::AtMost(most) => format!("<= {} {unit}", short(*most)),
            Goal::None => String::new(),
        };
        let held = match goal.held(*value) {
            Some(true) => "held",
            Some(false) => "NOT HELD",
            None => "",
        };
        write!(f, "{}", format!("{name:<58} {said:>16}  {goal_said:<16} {held}").trim_end())
    }
}

/// Three digits that count.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        large if large >= 100.0 || large.fract() == 0.0 => 0,
        some if some >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

/// The middle one; the mean of the two where there is none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => f64::NAN,
        0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_one_line_with_its_judgement() {
        let line = |value, goal| Figure::new("decide", value, "M/s", goal).to_string();
        assert!(line(5.0, Goal::AtLeast(5.0)).ends_with("5 M/s  >= 5 M/s         held"));
        assert!(line(4.99, Goal::AtLeast(5.0)).ends_with("4.99 M/s  >= 5 M/s         NOT HELD"));
        assert!(line(16.01, Goal::AtMost(16.0)).ends_with("NOT HELD"));
        assert!(line(1234.5, Goal::None).ends_with("1234 M/s"));
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }
}
