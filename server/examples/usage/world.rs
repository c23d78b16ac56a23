//! Lines with rules that are on, as customers have them; usage for them; and the engine's turn.

use super::{Answer, provider};
use laika_core::{
    ENGINE_VERSION,
    api::{Language, SaveRule, TurnOn},
    bytes::Bytes,
    draft::{RuleDraft, validate},
    forecast::{preview, preview_sha256},
    id::{AccountId, PaymentMethodId},
    money::Currency,
    rail::Rail,
    record::{Authenticated, Proof},
    time::{Instant, Span},
};
use laika_server::{
    App, Shared,
    clock::Clock,
    config::{Config, DatabaseUrl},
    flow::{
        add_line::{self, NewLine},
        audit,
        handle_usage::{self, PIECE},
        inputs, save_rule,
        switch_rule::{self, Switch},
        usage_event, view,
    },
    sql,
    store::{
        accounts::{self, Account},
        balances, lines,
        payment_methods::{self, Method, instrument},
    },
};
use std::{collections::VecDeque, error::Error, fmt::Write, path::Path, time::Duration};

/// Signs usage.
pub(crate) const SECRET: &str = "a-secret-of-the-bench";
/// What a line starts with: enough for every bench.
const HAS: u64 = 1_000_000_000_000;
/// What a line that is to cross its threshold starts with.
pub(crate) const HOT_HAS: u64 = 10_000_000_000;
/// Lines that usage over HTTP is for.
pub(crate) const LINES: usize = 1000;
/// Lines that are there to cross their threshold, numbered from the last ordinary one on.
pub(crate) const HOT: usize = 100;
/// Pieces under way at once, as `laika ingest` has them.
const AHEAD: usize = 32;

pub(crate) fn iccid(number: usize) -> String {
    format!("89{number:017}")
}

pub(crate) fn address(folder: &Path, name: &str) -> String {
    match folder.to_str() {
        Some(server) if server.starts_with("postgres:") => format!("{server}/{name}"),
        _ => format!("sqlite:{}/{name}.db", folder.display()),
    }
}

/// An app on a database of the folder, or of the PostgreSQL whose address stands in its place.
pub(crate) async fn open(folder: &Path, name: &str) -> Result<Shared, Box<dyn Error>> {
    let database = DatabaseUrl::parse(&address(folder, name)).map_err(|error| error.0)?;
    let config = Config::from_vars(&|_| None).map_err(|error| error.0)?;
    Ok(App::open(Config { database, ..config }, Clock::system()).await?)
}

/// A fresh copy of the database that `make` made.
pub(crate) fn copy(folder: &Path, name: &str) -> Result<(), Box<dyn Error>> {
    for end in ["db", "db-wal", "db-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("{name}.{end}")));
    }
    std::fs::copy(folder.join("made.db"), folder.join(format!("{name}.db")))?;
    std::fs::File::open(folder.join(format!("{name}.db")))?.sync_all()?;
    Ok(())
}

/// Makes the database that every round starts from: so many lines, each with an account, a card
/// and a rule that is on, and [`HOT`] more.
pub(crate) async fn make(folder: &Path, count: usize) -> Answer {
    let started = std::time::Instant::now();
    for end in ["db", "db-wal", "db-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("made.{end}")));
    }
    let app = open(folder, "made").await?;
    let mut tx = app.store.write().await?;
    let cards = provider::make(folder, HOT)?;
    for number in 0..count + HOT {
        let known = number.checked_sub(count).and_then(|hot| cards.get(hot)).cloned();
        let bytes = if known.is_none() { HAS } else { HOT_HAS };
        let known = known.unwrap_or_else(|| (format!("cus_{number}"), format!("tok_{number}")));
        customer(&mut tx, number, bytes, known, app.clock.now()).await?;
    }
    tx.commit().await;
    turn_on(&app).await?;
    let mut tx = app.store.write().await?;
    sql!(
        "INSERT INTO rules (account_id, line_id, version, rule, draft, suspended,
                            consumed_through, consumed_expiry_at, alerted)
         SELECT l.account_id, l.id, x.version, x.rule, x.draft, NULL, NULL, NULL, 0
         FROM lines AS l CROSS JOIN rules AS x WHERE l.iccid <> $1",
        iccid(0)
    )
    .execute(&mut *tx)
    .await?;
    sql!(
        "INSERT INTO rule_versions (account_id, line_id, version, what, changed_at, rule, consent)
         SELECT l.account_id, l.id, x.version, x.what, x.changed_at, x.rule, x.consent
         FROM lines AS l CROSS JOIN rule_versions AS x WHERE l.iccid <> $1",
        iccid(0)
    )
    .execute(&mut *tx)
    .await?;
    sql!("ANALYZE").execute(&mut *tx).await?;
    tx.commit().await;
    app.store.close().await;
    Ok((started.elapsed(), format!("{count} lines")))
}

async fn customer(
    tx: &mut laika_server::store::Tx,
    number: usize,
    bytes: u64,
    (customer, token): provider::Known,
    now: Instant,
) -> Result<(), Box<dyn Error>> {
    let id = format!("acc_{number:09}");
    let account = Account {
        id: AccountId::new(&*id).ok_or("an id")?,
        version: 0,
        phone: format!("+3461{number:09}"),
        email: format!("{number}@example.org"),
        password_hash: None,
        language: Language::En,
        time_zone: "Europe/Madrid".into(),
        kept_periods: None,
    };
    accounts::insert(tx, &account, now).await?;
    let new = NewLine {
        iccid: iccid(number),
        bytes: Bytes::new(bytes).ok_or("an amount")?,
        credit_minor: 0,
        currency: Currency::from_code("EUR").ok_or("a currency")?,
    };
    add_line::add(tx, &id, &new, now).await?;
    let fingerprint = format!("fp_{number}");
    let card = Method {
        id: PaymentMethodId::new("pm_bench").ok_or("an id")?,
        token,
        rail: Rail::Card,
        brand: "visa".into(),
        funding: "credit".into(),
        last4: "4242".into(),
        exp_month: 12,
        exp_year: 2034,
        instrument: instrument(&fingerprint, 2034, 12),
        fingerprint,
        removed_at: None,
    };
    payment_methods::insert(tx, &id, &card, now).await?;
    Ok(payment_methods::set_customer(tx, &id, &customer).await?)
}

/// Saves and turns on the suggested rule of the first line, as the browser does.
async fn turn_on(app: &Shared) -> Result<(), Box<dyn Error>> {
    let (mut conn, now) = (app.store.read().await?, app.clock.now());
    let line = lines::by_iccid(&mut conn, &iccid(0)).await?.ok_or("the line")?;
    let shown = inputs::preview(&mut conn, &line, now).await?;
    drop(conn);
    let draft = RuleDraft::suggested(&shown.account, shown.as_of);
    let rule = validate(&draft, &shown.account, shown.as_of).map_err(|it| format!("{it:?}"))?;
    let request = SaveRule {
        draft,
        state_version: shown.state_version,
        as_of: shown.as_of,
        engine_version: ENGINE_VERSION.into(),
        preview_sha256: preview_sha256(&preview(&rule, &shown)),
    };
    save_rule::save(app, &line.account_id, line.id.as_str(), "bench", &request).await?;
    let mut conn = app.store.read().await?;
    let line = lines::by_iccid(&mut conn, &iccid(0)).await?.ok_or("the line")?;
    let view = view::rule(&mut conn, &line, app.clock.now()).await?;
    drop(conn);
    let agreed = TurnOn {
        rule_version: view.rule.ok_or("a rule")?.version,
        consent_sha256: view.consent.ok_or("a text")?.sha256,
    };
    let who = Authenticated { by: Proof::Password, at: app.clock.wall() };
    let switch = Switch::On(&agreed, who);
    switch_rule::switch(app, &line.account_id, line.id.as_str(), switch).await?;
    Ok(())
}

/// One event as a carrier sends it.
pub(crate) fn event(id: &str, iccid: &str, at: Instant, bytes: u64) -> String {
    let mut text = String::with_capacity(260);
    let _ = write!(
        text,
        "{{\"specversion\":\"1.0\",\"type\":\"laika.usage.v1\",\"source\":\"carrier/eu-1\",\
         \"id\":\"{id}\",\"subject\":\"{iccid}\",\"time\":\"{at}\",\
         \"datacontenttype\":\"application/json\",\
         \"data\":{{\"bytes\":{bytes},\"country\":\"ES\"}}}}"
    );
    text
}

/// So many events, dealt over the lines in a scattered order, each line's in the order of time.
pub(crate) fn events(count: usize, lines: usize) -> Vec<String> {
    let begins = Instant::from_seconds(1_790_000_000);
    let one = |number: usize| {
        let after = Span(i64::try_from(number).unwrap_or(0) * 1000);
        event(&format!("e{number:012}"), &iccid(dealt(number, lines)), begins.plus(after), 1000)
    };
    (0..count).map(one).collect()
}

/// Which line an event belongs to.
pub(crate) fn dealt(number: usize, lines: usize) -> usize {
    number.wrapping_mul(7919) % lines
}

/// Counts events as `laika ingest` does: read, drawn, booked, decided, durable.
pub(crate) async fn engine(folder: &Path, count: usize, lines: usize) -> Answer {
    copy(folder, "engine")?;
    run(folder, "engine", count, lines).await
}

/// The same in a database that is there.
pub(crate) async fn run(folder: &Path, name: &str, count: usize, lines: usize) -> Answer {
    let (app, texts) = (open(folder, name).await?, events(count, lines));
    let started = std::time::Instant::now();
    let (mut under_way, mut accepted) = (VecDeque::new(), 0);
    let mut pieces = texts.chunks(PIECE);
    loop {
        let piece = pieces.next();
        if let Some(piece) = piece {
            let read = piece.iter().map(|text| usage_event::read(text.as_bytes()));
            let (rows, app) = ((1..).zip(read).collect(), app.clone());
            under_way
                .push_back(tokio::spawn(async move { handle_usage::handle(&app, rows).await }));
        }
        if under_way.len() >= AHEAD || piece.is_none() {
            let Some(oldest) = under_way.pop_front() else { break };
            accepted += oldest.await??.accepted;
        }
    }
    let took = started.elapsed();
    if accepted != count {
        return Err(format!("{accepted} of {count} were accepted").into());
    }
    check(&app, lines, |line| (0..count).filter(|at| dealt(*at, lines) == line).count()).await?;
    app.store.close().await;
    Ok((took, format!("{count} events")))
}

/// Compares each line's balance with a plain sum, and the books with the balances.
pub(crate) async fn check(
    app: &Shared,
    count: usize,
    events_of: impl Fn(usize) -> usize,
) -> Result<(), Box<dyn Error>> {
    let mut conn = app.store.read().await?;
    let mut checked = 0;
    for line in lines::all(&mut conn).await? {
        let number: usize = line.iccid.get(2..).ok_or("an ICCID")?.parse()?;
        // Each twentieth is enough to find a row lost or counted twice somewhere.
        if number >= count || !number.is_multiple_of(20) {
            continue;
        }
        let left = balances::load(&mut conn, &line).await?.bytes_on_books().get();
        let wanted = HAS - 1000 * events_of(number) as u64;
        if left != wanted {
            return Err(format!("{} has {left}, not {wanted}", line.iccid).into());
        }
        checked += 1;
    }
    let report = audit::audit(&mut conn).await?;
    match report.violations.first() {
        Some(first) => Err(format!("{} {}", first.code, first.detail).into()),
        None if checked == 0 => Err("no line was checked".into()),
        None => Ok(()),
    }
}

/// The time from one instant of a clock to another, as far as it is not negative.
pub(crate) fn between(from: Instant, to: Instant) -> Duration {
    Duration::from_micros(u64::try_from(to.micros() - from.micros()).unwrap_or(0))
}
