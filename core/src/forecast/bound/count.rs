//! The most recharges that a stretch of time can hold. One counts where the caps count it: where
//! its money was last reserved. That is when it was opened, or later: declined and tried again.
//! It adds up no money.

use crate::decide::{Account, Period, lapses_after, notice_lead};
use crate::rule::{Amount, Rule};
use crate::time::{Instant, Span};
use crate::zone::Zone;
use chrono::Days;

/// How far ahead is looked: as far as a zone is known.
const AHEAD: Span = Span::days(3653);

/// What keeps a rule's recharges apart.
pub(super) struct Counts<'a> {
    zone: &'a Zone,
    /// From when until when it can charge.
    pub(super) life: Period,
    /// From one opening to the next.
    cool_down: Span,
    /// The most in one local day.
    per_day: Option<i64>,
    /// Whether low balance asks for recharges: at any time.
    by_use: bool,
    /// The schedule's instants, ascending.
    dates: Vec<Instant>,
    /// How long after its instant one can be charged.
    late: Span,
    /// When what is announced first is due.
    told_at: Instant,
    /// How far apart those before an expiry are, if they are asked for.
    expiries: Option<Span>,
}

impl<'a> Counts<'a> {
    /// Those of a rule.
    pub(super) fn of(rule: &Rule, account: &'a Account) -> Counts<'a> {
        let (zone, limits) = (&account.zone, &rule.limits);
        let starts = limits.starts_on.map_or(Instant::MIN, |date| zone.start_of_day(date));
        let from = rule.armed_at.max(starts);
        let after = limits.ends_on.and_then(|end| end.checked_add_days(Days::new(1)));
        let ends = after.map_or(Instant::MAX, |date| zone.start_of_day(date));
        let life = Period { from, until: ends.min(from.plus(AHEAD)) };
        let lead = notice_lead(rule, account);
        let mut counts = Counts {
            zone,
            life,
            cool_down: limits.cool_down(),
            per_day: limits.max_per_day.map(i64::from),
            by_use: rule.triggers.low_balance.is_some(),
            dates: Vec::new(),
            late: lapses_after(rule, account),
            // Why: nothing is announced before the rule can charge.
            told_at: from.plus(lead),
            expiries: rule.triggers.expiring_days.map(|days| between_expiries(rule, days, lead)),
        };
        // Why: low balance can ask at any time; dates make no more of its recharges.
        if let (Some(schedule), false) = (&rule.triggers.scheduled, counts.by_use) {
            let instants = schedule.upcoming(rule.armed_at.max(starts.minus(Span(1))), zone);
            let come = |at: &Instant| counts.told_at.max(*at) < life.until;
            counts.dates = instants.take_while(come).collect();
        }
        counts
    }

    /// The most in a stretch of the life.
    pub(super) fn most(&self, stretch: Period) -> i64 {
        let asked = if self.by_use { i64::MAX } else { self.by_date(stretch) };
        asked.min(self.by_cool_down(stretch)).min(self.by_days(stretch))
    }

    /// As many as are asked for by dates and before expiries.
    fn by_date(&self, stretch: Period) -> i64 {
        // Why: each takes a date with it that lies in the stretch, or is not over when it begins.
        let over = stretch.from.minus(self.late);
        let gone = self.dates.partition_point(|at| *at <= over);
        let come = self.dates.partition_point(|at| self.told_at.max(*at) < stretch.until);
        let dated = i64::try_from(come.saturating_sub(gone)).unwrap_or(i64::MAX);
        let rest = stretch.until.since(stretch.from.max(self.told_at));
        dated.saturating_add(self.expiries.map_or(0, |apart| fits(rest, apart)))
    }

    /// As many as can be opened, and one that was opened before, as soon as the rule could charge.
    fn by_cool_down(&self, stretch: Period) -> i64 {
        let from_before = self.life.from < stretch.from;
        let next_at = if from_before { self.life.from.plus(self.cool_down) } else { stretch.from };
        let opened = fits(stretch.until.since(next_at.max(stretch.from)), self.cool_down);
        opened.saturating_add(i64::from(from_before))
    }

    /// As many as its days may have.
    fn by_days(&self, stretch: Period) -> i64 {
        let Some(most) = self.per_day else { return i64::MAX };
        let last = self.zone.date(stretch.until.minus(Span(1)));
        let days = last.signed_duration_since(self.zone.date(stretch.from)).num_days();
        most.saturating_mul(days.saturating_add(1))
    }
}

/// How far apart recharges before an expiry are: each makes the next expiry when it is paid, and
/// that is announced before it charges.
fn between_expiries(rule: &Rule, days: u32, lead: Span) -> Span {
    let validity_days = match rule.amount {
        // Why: credit makes no expiry. What the customer buys by hand does.
        Amount::FixedCredit(_) => 0,
        Amount::FixedData { .. } | Amount::Target { .. } => {
            rule.step.map_or(0, |step| step.validity_days)
        }
    };
    lead.max(Span::days(i64::from(validity_days).saturating_sub(i64::from(days))))
}

/// How many instants so far apart fit into a span: at its beginning and on from there, not at its
/// end. Without a distance there is no end of them.
fn fits(span: Span, apart: Span) -> i64 {
    if span.0 <= 0 {
        return 0;
    }
    let between = span.0.saturating_sub(1).checked_div(apart.0.max(0)).unwrap_or(i64::MAX);
    between.saturating_add(1)
}
