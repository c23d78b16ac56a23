//! `laika kill-switch`: all charging stopped, or on one line; how it stands; what was done before.
//! The switch itself is `flow/kill_switch`'s.

use super::{Failure, Outcome, block_on, check_why, help, open, print_json, say_which};
use crate::{
    Shared,
    flow::kill_switch::{self, Switched},
    store::{
        Conn,
        audit_log::{self, By, Entry},
        lines::{self, Line},
        settings,
    },
};
use laika_core::time::Instant;
use serde::Serialize;
use serde_json::json;
use std::io::Write;

/// What was asked for.
#[derive(Default)]
struct Asked {
    on: Option<bool>,
    line: Option<String>,
    why: String,
    history: bool,
    json: bool,
}

pub(super) fn kill_switch(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let mut asked = Asked::default();
    while let Some(word) = parser.next()? {
        match word {
            Value(word) if asked.on.is_none() && word == "on" => asked.on = Some(true),
            Value(word) if asked.on.is_none() && word == "off" => asked.on = Some(false),
            Long("line") => asked.line = Some(parser.value()?.string()?),
            Long("why") => asked.why = parser.value()?.string()?,
            Long("history") => asked.history = true,
            Long("json") => asked.json = true,
            Short('h') | Long("help") => return help::print(Some("kill-switch")),
            other => return Err(other.unexpected().into()),
        }
    }
    check_why(&asked.why)?;
    let looks = asked.on.is_none();
    if !looks && asked.history || looks && (asked.line.is_some() || !asked.why.is_empty()) {
        return Err(Failure::Usage("these options do not go together".into()));
    }
    block_on(async {
        let app = open().await?;
        say_which(&app);
        match asked.on {
            Some(on) => switch(&app, on, &asked).await?,
            None if asked.history => history(&app, asked.json).await?,
            None => show(&app, asked.json).await?,
        }
        app.store.close().await;
        Ok(Outcome::Done)
    })
}

/// Switches, and says what it did.
async fn switch(app: &Shared, on: bool, asked: &Asked) -> Result<(), Failure> {
    let by = By { operator: &app.config.operator, why: &asked.why };
    let done = match &asked.line {
        None => kill_switch::switch_all(app, on, &by).await?,
        Some(name) => {
            let found = lines::find(&mut *app.store.read().await?, name).await?;
            let line = found.ok_or_else(|| Failure::failed(format!("there is no line {name}")))?;
            let (account, id) = (line.account_id.as_str(), line.id.as_str());
            kill_switch::switch_line(app, account, id, on, &by).await?
        }
    };
    let Switched { changed, lines, already_submitted } = done;
    if asked.json {
        return print_json(&json!({
            "on": on,
            "line": asked.line,
            "changed": changed,
            "lines": lines,
            "already_submitted": already_submitted,
        }));
    }
    let mut out = std::io::stdout().lock();
    let what = if on { "charging is stopped" } else { "charging may go on" };
    let of = asked.line.as_ref().map_or("on all lines".to_string(), |id| format!("on line {id}"));
    let again = if changed { "" } else { ", as it was already" };
    writeln!(out, "{what} {of}{again} ({lines} made sure of)")?;
    for id in already_submitted {
        writeln!(out, "sent before, its end not known yet: {id}")?;
    }
    Ok(())
}

/// How the switch stands for one line, or for all.
#[derive(Serialize)]
struct Standing {
    on: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iccid: Option<String>,
    since: Option<Instant>,
    operator: Option<String>,
    why: Option<String>,
}

impl Standing {
    fn new(on: bool, line: Option<Line>, newest: Option<Entry>) -> Standing {
        let (since, operator, why) = match newest {
            Some(entry) => (Some(entry.done_at), Some(entry.operator), Some(entry.why)),
            None => (None, None, None),
        };
        let line_id = line.as_ref().map(|line| line.id.to_string());
        Standing { on, line_id, iccid: line.map(|line| line.iccid), since, operator, why }
    }

    fn sentence(&self) -> String {
        let what = match (&self.line_id, &self.iccid, self.on) {
            (Some(id), Some(iccid), _) => format!("charging is stopped on line {id} ({iccid})"),
            (_, _, true) => "charging is stopped on all lines".to_string(),
            (_, _, false) => "charging is not stopped".to_string(),
        };
        let since = self.since.map_or(String::new(), |at| format!(" since {at}"));
        let by = self.operator.as_ref().map_or(String::new(), |name| format!(", by {name}"));
        let why = self.why.as_ref().filter(|why| !why.is_empty());
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        format!("{what}{since}{by}{why}")
    }
}

async fn standings(conn: &mut Conn) -> Result<Vec<Standing>, Failure> {
    let on = settings::charging_stopped(conn).await?;
    let mut all = vec![Standing::new(on, None, kill_switch::newest(conn, "").await?)];
    for line in lines::stopped(conn).await? {
        let newest = kill_switch::newest(conn, line.id.as_str()).await?;
        all.push(Standing::new(true, Some(line), newest));
    }
    Ok(all)
}

/// Says how it stands: first for all lines, then each line that is stopped by itself.
async fn show(app: &Shared, json: bool) -> Result<(), Failure> {
    for standing in standings(&mut *app.store.read().await?).await? {
        if json {
            print_json(&standing)?;
        } else {
            writeln!(std::io::stdout(), "{}", standing.sentence())?;
        }
    }
    Ok(())
}

/// Says what operators ever did.
async fn history(app: &Shared, json: bool) -> Result<(), Failure> {
    for entry in audit_log::all(&mut *app.store.read().await?).await? {
        if json {
            print_json(&entry)?;
            continue;
        }
        let Entry { done_at, operator, what, subject, why, .. } = entry;
        writeln!(std::io::stdout(), "{done_at} {operator} {what} {subject} {why}")?;
    }
    Ok(())
}
