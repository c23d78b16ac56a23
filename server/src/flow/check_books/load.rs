//! Our own side of a reconciliation, some lines at a time: recharges with the cap that allowed them
//! and what went back of them, and when nothing may have been sent.

use super::Window;
use crate::{
    error::Result,
    flow::barriers,
    store::{Conn, lines::Line, recharges, returns, rules::from_json},
};
use laika_core::{
    reconcile::{Decided, Decisions},
    record::DecisionRecord,
    returns::Returns,
    time::Instant,
};
use std::collections::HashMap;

/// What was decided about some lines.
pub(super) struct Loaded {
    pub(super) decisions: Decisions,
    /// Recharges of which something went back since the statements were asked for: they are left
    /// for the next time.
    pub(super) aside: Vec<String>,
}

/// Reads what was decided about these lines in the window.
pub(super) async fn of_lines(
    conn: &mut Conn,
    lines: &[Line],
    window: Window,
    as_of: Instant,
) -> Result<Loaded> {
    let lines: Vec<&Line> = lines.iter().collect();
    let opened = recharges::opened_between(conn, &lines, window.from, window.until).await?;
    let mut loaded = Loaded { decisions: Decisions::default(), aside: Vec::new() };
    if opened.iter().all(Vec::is_empty) {
        return Ok(loaded);
    }
    let returned = returns::of_lines(conn, &lines).await?;
    for (opened, returned) in opened.into_iter().zip(returned) {
        let mut by_recharge: HashMap<String, Vec<Returns>> = HashMap::new();
        for kept in returned {
            let id = kept.returns.recharge_id.to_string();
            if kept.changed_at >= as_of {
                loaded.aside.push(id.clone());
            }
            by_recharge.entry(id).or_default().push(kept.returns);
        }
        for (recharge, record) in opened {
            let id = recharge.id.as_str();
            if loaded.aside.iter().any(|aside| aside == id) {
                continue;
            }
            let returns = by_recharge.remove(id).unwrap_or_default();
            let record = record.as_deref().and_then(|json| readable(id, json));
            loaded.decisions.recharges.push(Decided::of(recharge, record.as_ref(), returns));
        }
    }
    let barriers = barriers::of_lines(conn, &lines).await?;
    loaded.decisions.barriers = barriers.into_iter().flatten().collect();
    Ok(loaded)
}

/// A record that another version made is not guessed at: without it no cap is checked.
fn readable(id: &str, json: &str) -> Option<DecisionRecord> {
    let record = from_json(json);
    if let Err(error) = &record {
        tracing::warn!(recharge = id, %error, "its cap is not checked");
    }
    record.ok()
}

/// Those of these recharges that there are: opened outside the window, or since.
pub(super) async fn named(conn: &mut Conn, recharges: Vec<String>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for some in recharges.chunks(500) {
        found.extend(recharges::existing(conn, some).await?);
    }
    Ok(found)
}
