//! The stretches of time in which nothing may have been submitted: from "off", a pause or a removed
//! method on. The nightly check and the auditor hold what was sent against them.

use crate::{
    error::Result,
    store::{Conn, lines::Line, payment_methods, rules},
};
use laika_core::{
    reconcile::Barrier,
    rule::Rule,
    time::{Instant, Span},
    zone::Zone,
};

/// The earliest that a date begins anywhere, before it begins in UTC.
const EARLIEST_ZONE: Span = Span::hours(14);

/// Every stop of each line: the rule off or paused, a method removed.
pub async fn of_lines(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<Barrier>>> {
    let versions = rules::versions_of(conn, lines).await?;
    let removed = payment_methods::removed_of(conn, lines).await?;
    let each = lines.iter().zip(versions).zip(removed);
    let all = each.map(|((line, versions), removed)| {
        let removed = removed.into_iter().map(|(method, removed_at)| Barrier {
            line_id: line.id.clone(),
            payment_method_id: Some(method),
            from: removed_at,
            until: None,
        });
        of_rule(line, &versions).into_iter().chain(removed).collect()
    });
    Ok(all.collect())
}

/// The stretches in which a rule charged nothing, from its versions in order.
fn of_rule(line: &Line, versions: &[(Rule, Instant)]) -> Vec<Barrier> {
    let mut barriers: Vec<Barrier> = Vec::new();
    // Why not by the instant alone: between an "on" and an "off" there may be a charge and no time.
    let mut goes_on = false;
    for (at, (rule, from)) in versions.iter().enumerate() {
        let next = versions.get(at + 1).map(|(_, changed_at)| *changed_at);
        let until = match (rule.on, rule.paused_until_on) {
            (false, _) => next,
            (true, None) => {
                goes_on = false;
                continue;
            }
            // Why: which zone the pause ended in is not kept; earlier than this it ended in none.
            (true, Some(date)) => {
                let ends = Zone::utc().start_of_day(date).minus(EARLIEST_ZONE);
                Some(next.map_or(ends, |next| next.min(ends)))
            }
        };
        match barriers.last_mut() {
            Some(before) if goes_on && before.until == Some(*from) => before.until = until,
            _ => barriers.push(Barrier {
                line_id: line.id.clone(),
                payment_method_id: None,
                from: *from,
                until,
            }),
        }
        goes_on = true;
    }
    barriers
}
