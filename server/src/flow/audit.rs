//! The auditor: looks at what is kept and says what must never be. It changes nothing and trusts
//! nothing that is kept beside what it was made from.
//!
//! `audit` reads everything in one snapshot; `watch` does the same in production, but for what only
//! whole tables tell, some lines at a time, those where money moved lately first. Of a line: `line`
//! has its balance and its books, `recharge` each recharge by itself, `charges` what was charged
//! against what was allowed.

mod charges;
mod line;
mod loaded;
mod recharge;
pub mod watch;

use crate::{
    error::Result,
    store::{
        Conn, audit_log, inbox,
        jobs::{self, Key},
        ledger, lines,
        lines::Line,
        payment_methods, recharges,
    },
};
use laika_core::retry::limited_until;
use serde::Serialize;

/// Lines whose rows are read at once.
const LINES: i64 = 50;
/// Jobs that are read at once.
const JOBS: i64 = 1_000;

/// What the auditor found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How many lines, recharges and books were looked at.
    pub checked: usize,
    /// What must not be.
    pub violations: Vec<Violation>,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The stable code.
    pub code: &'static str,
    /// A line, recharge or transaction.
    pub subject: String,
    /// In words, with the figures.
    pub detail: String,
    /// Account and line, where it is about one.
    #[serde(skip)]
    pub line: Option<(String, String)>,
}

impl Report {
    fn expect(&mut self, holds: bool, code: &'static str, subject: &str, detail: String) {
        if !holds {
            let subject = subject.to_string();
            self.violations.push(Violation { code, subject, detail, line: None });
        }
    }
}

/// Checks everything.
pub async fn audit(conn: &mut Conn) -> Result<Report> {
    let mut report = Report::default();
    let mut after = (String::new(), String::new());
    loop {
        let lines = lines::after(conn, (&after.0, &after.1), LINES).await?;
        let Some(last) = lines.last() else { break };
        after = (last.account_id.to_string(), last.id.to_string());
        of_lines(conn, &lines, &mut report).await?;
    }
    let mut next = Some(Default::default());
    while let Some(after) = next {
        next = jobs_are_read(conn, &after, &mut report).await?;
    }
    beside(conn, &mut report).await?;
    whole(conn, &mut report).await?;
    Ok(report)
}

/// Checks some lines, with all that hangs on them.
pub async fn of_lines(conn: &mut Conn, lines: &[Line], report: &mut Report) -> Result<()> {
    for loaded in loaded::of_lines(conn, lines).await? {
        let known = report.violations.len();
        report.checked += 1;
        let balance = line::check(conn, &loaded, report).await?;
        recharge::check(&loaded, &balance, report);
        charges::check(&loaded, report);
        let key = (loaded.line.account_id.to_string(), loaded.line.id.to_string());
        for violation in report.violations.iter_mut().skip(known) {
            violation.line = Some(key.clone());
        }
    }
    Ok(())
}

/// Checks that the next jobs after one can be read; where to go on, unless these were the last.
pub async fn jobs_are_read(
    conn: &mut Conn,
    after: &Key,
    report: &mut Report,
) -> Result<Option<Key>> {
    let (unreadable, next) = jobs::unreadable(conn, after, JOBS).await?;
    for (key, why) in unreadable {
        report.expect(false, "unreadable_job", &key, why);
    }
    Ok(next)
}

/// Checks what is about no line and is little: what operators did, and cards that were declined
/// often.
pub async fn beside(conn: &mut Conn, report: &mut Report) -> Result<()> {
    if let Some(number) = audit_log::broken(conn).await? {
        let detail = format!("entry {number} of what operators did is not what was written");
        report.expect(false, "audit_log_broken", "audit_log", detail);
    }
    declines(conn, report).await
}

/// Checks what only whole tables tell, for as long as that takes: with years of usage, minutes in
/// one snapshot. Of lines that are there, each is checked by itself.
async fn whole(conn: &mut Conn, report: &mut Report) -> Result<()> {
    for id in recharges::without_line(conn).await? {
        report.expect(false, "no_line", &id, "a recharge of no line".into());
    }
    for key in ledger::without_line(conn).await? {
        report.expect(false, "no_line", &key, "an entry of no line".into());
    }
    let (named, counted) = inbox::counts(conn).await?;
    let detail = format!("{named} usage events were accepted, {counted} are kept");
    report.expect(named == counted, "events_differ", "inbox", detail);
    Ok(())
}

/// No card is tried again after it was declined so often that it must rest.
async fn declines(conn: &mut Conn, report: &mut Report) -> Result<()> {
    for (fingerprint, declined_at) in payment_methods::declined_often(conn).await? {
        let over = declined_at.iter().enumerate().find(|(before, at)| {
            let before = declined_at.get(..*before).unwrap_or(&[]);
            limited_until(before, **at).is_some()
        });
        if let Some((before, at)) = over {
            let detail = format!("declined again at {at} after {before} times");
            report.expect(false, "declined_too_often", &fingerprint, detail);
        }
    }
    Ok(())
}
