//! The flows from usage and switches to opened recharges and messages, on a clock that stands until
//! moved. What happens outside (gateway, carrier) is tested with the sandbox in `tests/`.

mod known;
mod suspended;
mod timers;

use super::{
    add_line::{self, NewLine},
    change_zone::change_zone,
    handle_usage::{self, Receipt},
    inputs, save_rule,
    switch_rule::{self, Switch},
    usage_event::Event,
    view,
};
use crate::{
    App, Shared,
    clock::Clock,
    config::Config,
    error::{Error, Result},
    store::{
        accounts::{self, Account},
        lines::{self, Line},
        looks, messages,
        payment_methods::{self, Method, instrument},
        receipts, recharges, rules,
        tests::Folder,
    },
};
use laika_core::{
    ENGINE_VERSION,
    api::{Language, RuleView, SaveRule, TurnOn},
    bytes::Bytes,
    decide::Suspension,
    draft::{RuleDraft, validate},
    forecast::{preview, preview_sha256},
    id::{AccountId, PaymentMethodId},
    money::Currency,
    rail::Rail,
    recharge::Status,
    record::{self, Authenticated, Proof, SignedReceipt},
    time::{Instant, Span},
};

const ACCOUNT: &str = "acc_test";

/// An account with one line of 10 GB and one card.
struct World {
    app: Shared,
    line: Line,
    _folder: Folder,
}

impl World {
    async fn new() -> World {
        let folder = Folder::new();
        let config = Config::from_vars(&|_| None).expect("defaults");
        let config = Config { database: folder.url(), ..config };
        let now = Instant::parse("2026-11-22T10:00:00Z").expect("an instant");
        let app = App::open(config, Clock::at(now)).await.expect("opens");
        let mut tx = app.store.write().await.expect("a transaction");
        let account = Account {
            id: AccountId::new(ACCOUNT).expect("an id"),
            version: 0,
            phone: "+34612345678".into(),
            email: "ana@example.org".into(),
            password_hash: None,
            language: Language::En,
            time_zone: "Europe/Madrid".into(),
            kept_periods: None,
        };
        accounts::insert(&mut tx, &account, now).await.expect("an account");
        let new = NewLine {
            iccid: "8988000000000000001".into(),
            bytes: gigabytes(10),
            credit_minor: 0,
            currency: Currency::from_code("EUR").expect("a currency"),
        };
        let line = add_line::add(&mut tx, ACCOUNT, &new, now).await.expect("a line");
        payment_methods::insert(&mut tx, ACCOUNT, &card(), now).await.expect("a card");
        tx.commit().await;
        World { app, line: line.expect("a new line"), _folder: folder }
    }

    /// The line uses data at the present time.
    async fn uses(&self, id: &str, bytes: Bytes) -> Receipt {
        let event = Event {
            source: "test".into(),
            id: id.into(),
            iccid: self.line.iccid.clone(),
            time: self.app.clock.now(),
            bytes,
            country: None,
        };
        handle_usage::handle(&self.app, vec![(1, Ok(event))]).await.expect("counted")
    }

    /// Saves a rule as the browser does, changing the suggestion.
    async fn save(&self, key: &str, change: impl Fn(&mut RuleDraft)) -> Result<()> {
        let mut conn = self.app.store.read().await?;
        let line = lines::get(&mut conn, ACCOUNT, self.line.id.as_str()).await?;
        let line = line.expect("the line");
        let shown = inputs::preview(&mut conn, &line, self.app.clock.now()).await?;
        drop(conn);
        let mut draft = RuleDraft::suggested(&shown.account, shown.as_of);
        change(&mut draft);
        let rule = validate(&draft, &shown.account, shown.as_of).map_err(Error::fields)?;
        let request = SaveRule {
            draft,
            state_version: shown.state_version,
            as_of: shown.as_of,
            engine_version: ENGINE_VERSION.into(),
            preview_sha256: preview_sha256(&preview(&rule, &shown)),
        };
        let (account, id) = (&self.line.account_id, self.line.id.as_str());
        save_rule::save(&self.app, account, id, key, &request).await
    }

    async fn rule(&self) -> RuleView {
        let mut conn = self.app.store.read().await.expect("a snapshot");
        let line = lines::get(&mut conn, ACCOUNT, self.line.id.as_str()).await.expect("read");
        let now = self.app.clock.now();
        view::rule(&mut conn, &line.expect("the line"), now).await.expect("a view")
    }

    async fn switch(&self, switch: Switch<'_>) -> Result<usize> {
        let (account, id) = (&self.line.account_id, self.line.id.as_str());
        Ok(switch_rule::switch(&self.app, account, id, switch).await?.len())
    }

    /// Agrees to what is shown.
    async fn turn_on(&self) -> Result<usize> {
        let view = self.rule().await;
        let agreed = TurnOn {
            rule_version: view.rule.expect("a rule").version,
            consent_sha256: view.consent.expect("a text").sha256,
        };
        self.switch(Switch::On(&agreed, authenticated())).await
    }

    /// The account moves to another zone.
    async fn moves_to(&self, zone: &str) {
        let (now, mut tx) = (self.app.clock.now(), self.app.store.write().await.expect("begun"));
        let line = lines::lock(&mut tx, ACCOUNT, self.line.id.as_str(), now).await.expect("locked");
        let account = accounts::get(&mut tx, ACCOUNT).await.expect("read").expect("the account");
        let lines = [line.expect("the line")];
        change_zone(&mut tx, account, &lines, zone.into(), now).await.expect("moved");
        tx.commit().await;
    }

    async fn consumed_through(&self) -> Option<Instant> {
        let mut conn = self.app.store.read().await.expect("a snapshot");
        let stored = rules::get(&mut conn, &self.line).await.expect("read");
        stored.expect("a rule").consumed_through
    }

    async fn recharges(&self) -> Vec<Status> {
        let mut conn = self.app.store.read().await.expect("a snapshot");
        let all = recharges::of_line(&mut conn, ACCOUNT, self.line.id.as_str()).await;
        all.expect("read").iter().map(|stored| stored.recharge.status).collect()
    }

    /// How many SMS contain these words.
    async fn told(&self, words: &str) -> usize {
        let mut conn = self.app.store.read().await.expect("a snapshot");
        let all = messages::newest(&mut conn).await.expect("read");
        let sms = all.iter().filter(|message| message.channel == messages::Channel::Sms);
        sms.filter(|message| message.body.contains(words)).count()
    }

    /// Why the line was not charged, by code.
    async fn reasons(&self) -> Vec<String> {
        let mut conn = self.app.store.read().await.expect("a snapshot");
        let records = looks::of_line(&mut conn, &self.line).await.expect("read");
        let reasons = records.iter().filter_map(|record| record.decision.reason());
        reasons.map(|reason| reason.code().to_string()).collect()
    }

    async fn audit(&self) -> Vec<String> {
        let mut conn = self.app.store.read().await.expect("a snapshot");
        let report = super::audit::audit(&mut conn).await.expect("audited");
        report.violations.iter().map(|v| format!("{} {}", v.code, v.detail)).collect()
    }

    fn pass(&self, hours: i64) {
        let later = self.app.clock.now().plus(laika_core::time::Span::hours(hours));
        self.app.clock.set(later);
    }
}

fn authenticated() -> Authenticated {
    let at = Instant::parse("2026-11-22T09:59:00Z").expect("an instant");
    Authenticated { by: Proof::Password, at }
}

fn at(text: &str) -> Option<Instant> {
    Instant::parse(text)
}

fn gigabytes(n: u64) -> Bytes {
    Bytes::GB.checked_mul(n).expect("an amount")
}

fn card() -> Method {
    Method {
        id: PaymentMethodId::new("pm_test").expect("an id"),
        token: "tok_test".into(),
        rail: Rail::Card,
        brand: "visa".into(),
        funding: "credit".into(),
        last4: "4242".into(),
        exp_month: 12,
        exp_year: 2034,
        fingerprint: "fp_test".into(),
        instrument: instrument("fp_test", 2034, 12),
        removed_at: None,
    }
}

fn code(result: Result<usize>) -> &'static str {
    match result {
        Err(Error::Problem(problem)) => problem.code,
        _ => "no problem",
    }
}

#[tokio::test]
async fn crossing_the_threshold_opens_one_recharge_and_says_so() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    world.turn_on().await.expect("on");
    world.uses("1", gigabytes(8)).await;
    assert_eq!((world.recharges().await.len(), world.told("2 GB left").await), (0, 1));
    world.uses("2", gigabytes(1)).await;
    assert_eq!(world.recharges().await, [Status::Opened], "1 GB left is low: inclusive");
    world.uses("3", Bytes::MB).await;
    assert_eq!(world.recharges().await.len(), 1, "one at a time");
    assert_eq!(world.told("left").await, 1, "one alert per crossing");
    assert_eq!(world.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_alert_comes_while_the_rule_is_off() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    world.uses("1", gigabytes(9)).await;
    assert_eq!((world.recharges().await.len(), world.told("1 GB left").await), (0, 1));
    assert_eq!(world.reasons().await, ["rule_off"]);
}

#[tokio::test]
async fn off_cancels_what_was_not_sent() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    world.turn_on().await.expect("on");
    world.uses("1", gigabytes(9)).await;
    assert_eq!(world.recharges().await, [Status::Opened]);
    assert_eq!(world.switch(Switch::Off).await.expect("off"), 0, "nothing was sent");
    assert_eq!(world.recharges().await, [Status::Cancelled]);
    let version = world.rule().await.rule.expect("a rule").version;
    world.switch(Switch::Off).await.expect("off");
    assert_eq!(world.rule().await.rule.expect("a rule").version, version, "off once");
    assert_eq!(world.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn only_what_was_read_is_agreed_to() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    let read = world.rule().await;
    let agreed = TurnOn {
        rule_version: read.rule.expect("a rule").version,
        consent_sha256: read.consent.expect("a text").sha256,
    };
    world.save("k2", |draft| draft.cap_per_month = "60".into()).await.expect("saved");
    assert_eq!(code(world.switch(Switch::On(&agreed, authenticated())).await), "consent_stale");
    world.turn_on().await.expect("on");
    let view = world.rule().await;
    assert!(view.rule.expect("a rule").on);
}

#[tokio::test]
async fn what_is_agreed_to_is_the_rule_without_the_pause_that_turning_on_ends() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    let date = "2026-12-01".parse().expect("a date");
    world.switch(Switch::Pause(date)).await.expect("paused");
    let read = world.rule().await.consent.expect("a text");
    assert!(!read.text.contains("Paused"), "{}", read.text);
    world.turn_on().await.expect("on");
    assert_eq!(world.rule().await.rule.expect("a rule").paused_until_on, None);
    let mut conn = world.app.store.read().await.expect("a snapshot");
    let signed = receipts::signed(&mut conn, &world.line, 3).await.expect("read").expect("signed");
    let signed: SignedReceipt = record::read(&signed).expect("a receipt");
    assert_eq!((signed.check(), signed.receipt.text), (vec![], read.text));
}

#[tokio::test]
async fn a_save_of_an_edit_is_off_until_agreed_again() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    world.turn_on().await.expect("on");
    world.save("k2", |draft| draft.cap_per_month = "60".into()).await.expect("saved");
    assert!(!world.rule().await.rule.expect("a rule").on);
}

#[tokio::test]
async fn a_key_saves_once_and_for_one_request() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    let again = world.save("k1", |draft| draft.cap_per_month = "60".into()).await;
    assert_eq!(code(again.map(|()| 0)), "idempotency_key_reused");
    assert_eq!(world.rule().await.changes.len(), 1);
}

#[tokio::test]
async fn nothing_is_on_without_a_method() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    let mut tx = world.app.store.write().await.expect("a transaction");
    let now = world.app.clock.now();
    assert!(payment_methods::remove(&mut tx, ACCOUNT, "pm_test", now).await.expect("removed"));
    tx.commit().await;
    assert_eq!(code(world.turn_on().await), "no_usable_method");
}

#[tokio::test]
async fn a_scheduled_charge_is_announced_once_and_can_be_skipped() {
    let world = World::new().await;
    let scheduled = |draft: &mut RuleDraft| {
        draft.low_balance = false;
        draft.scheduled = true;
        draft.unit = laika_core::draft::TypedPeriod::Day;
        draft.every = "1".into();
        draft.start = "2026-11-24".into();
        draft.alert = false;
        draft.amount_kind = laika_core::draft::AmountKind::FixedData;
        draft.amount = "1".into();
    };
    world.save("k1", scheduled).await.expect("saved");
    world.turn_on().await.expect("on");
    assert_eq!(world.told("At most").await, 0, "47 hours before it is too early");
    world.pass(24);
    world.uses("1", Bytes::MB).await;
    world.uses("2", Bytes::MB).await;
    assert_eq!(world.told("At most").await, 1);
    world.switch(Switch::Skip).await.expect("skipped");
    world.pass(24);
    world.uses("3", Bytes::MB).await;
    assert_eq!(world.recharges().await.len(), 0, "skipped");
    assert!(world.reasons().await.contains(&"skipped_once".to_string()));
    world.pass(24);
    world.uses("4", Bytes::MB).await;
    assert_eq!(world.recharges().await, [Status::Opened], "only one was skipped");
    world.switch(Switch::Skip).await.expect("skipped");
    let skipped = world.rule().await.rule.expect("a rule").skip_at.expect("an instant");
    assert!(skipped > world.app.clock.now(), "what is gone is not skipped again: {skipped}");
}

/// A gigabyte on each 24th at 09:00, and nothing else.
fn monthly(draft: &mut RuleDraft) {
    draft.low_balance = false;
    draft.scheduled = true;
    draft.unit = laika_core::draft::TypedPeriod::Month;
    draft.every = "1".into();
    draft.start = "2026-11-24".into();
    draft.day = "24".into();
    draft.at = "09:00".into();
    draft.alert = false;
    draft.amount_kind = laika_core::draft::AmountKind::FixedData;
    draft.amount = "1".into();
}

#[tokio::test]
async fn a_date_charged_on_one_clock_is_not_due_on_another() {
    let world = World::new().await;
    world.save("k1", monthly).await.expect("saved");
    world.turn_on().await.expect("on");
    world.pass(24);
    world.uses("1", Bytes::MB).await;
    world.pass(24);
    world.uses("2", Bytes::MB).await;
    assert_eq!(world.recharges().await.len(), 1);
    assert_eq!(world.consumed_through().await, at("2026-11-24T08:00:00Z"), "09:00 in Madrid");
    // It is 05:00 of that date in New York, where 09:00 is to come.
    world.moves_to("America/New_York").await;
    assert_eq!(world.consumed_through().await, at("2026-11-24T14:00:00Z"), "09:00 there");
    world.moves_to("Europe/Madrid").await;
    assert_eq!(world.consumed_through().await, at("2026-11-24T14:00:00Z"), "what is gone is gone");
}

#[tokio::test]
async fn a_pause_ends_as_its_date_begins() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    world.turn_on().await.expect("on");
    let date = |text: &str| text.parse().expect("a date");
    assert_eq!(code(world.switch(Switch::Pause(date("2026-11-22"))).await), "fields");
    world.switch(Switch::Pause(date("2026-11-23"))).await.expect("paused");
    world.uses("1", gigabytes(9)).await;
    assert_eq!(world.recharges().await.len(), 0);
    world.pass(13);
    world.uses("2", Bytes::MB).await;
    assert_eq!(world.recharges().await, [Status::Opened], "23:00 in UTC is midnight in Madrid");
}

#[tokio::test]
async fn late_and_repeated_events_end_in_the_same_balance() {
    let (world, other) = (World::new().await, World::new().await);
    for (id, hours) in [("1", 0), ("2", 1), ("3", 1)] {
        world.pass(hours);
        world.uses(id, gigabytes(4)).await;
    }
    let event = |id: &str, hour: i64| Event {
        source: "test".into(),
        id: id.into(),
        iccid: other.line.iccid.clone(),
        time: other.app.clock.now().plus(laika_core::time::Span::hours(hour - 2)),
        bytes: gigabytes(4),
        country: None,
    };
    for (id, hour) in [("3", 2), ("1", 0), ("2", 1), ("1", 0)] {
        let rows = vec![(1, Ok(event(id, hour)))];
        handle_usage::handle(&other.app, rows).await.expect("counted");
    }
    for world in [&world, &other] {
        let mut conn = world.app.store.read().await.expect("a snapshot");
        let balance = crate::store::balances::load(&mut conn, &world.line).await.expect("read");
        assert_eq!(balance.overrun_bytes, gigabytes(2));
        assert_eq!(balance.bytes_on_books(), Bytes::ZERO);
        drop(conn);
        assert_eq!(world.audit().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn use_beyond_all_bounds_can_still_be_read() {
    let world = World::new().await;
    for id in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"] {
        world.uses(id, Bytes::MAX).await;
    }
    let mut conn = world.app.store.read().await.expect("a snapshot");
    let line = lines::get(&mut conn, ACCOUNT, world.line.id.as_str()).await.expect("read");
    let line = line.expect("the line");
    let shown = view::line(&mut conn, &line, world.app.clock.now()).await.expect("a view");
    assert_eq!(shown.balance.overrun_bytes, Bytes::MAX);
    let later = world.app.clock.now().plus(Span::minutes(1));
    let shown = view::preview_inputs(&mut conn, &line, later).await.expect("inputs");
    assert_eq!(shown.past_use.recent().bytes, Bytes::MAX);
}

#[tokio::test]
async fn the_same_card_added_again_ends_no_suspension() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    let mut tx = world.app.store.write().await.expect("a transaction");
    let now = world.app.clock.now();
    rules::suspend(&mut tx, &world.line, Some(Suspension::Declined)).await.expect("suspended");
    payment_methods::remove(&mut tx, ACCOUNT, "pm_test", now).await.expect("removed");
    let again = Method { id: PaymentMethodId::new("pm_again").expect("an id"), ..card() };
    payment_methods::insert(&mut tx, ACCOUNT, &again, now).await.expect("a card");
    tx.commit().await;
    world.save("k2", |_| {}).await.expect("saved");
    world.turn_on().await.expect("on");
    assert!(world.reasons().await.contains(&"suspended".to_string()));
    let mut tx = world.app.store.write().await.expect("a transaction");
    let other = Method {
        id: PaymentMethodId::new("pm_other").expect("an id"),
        fingerprint: "fp_other".into(),
        instrument: instrument("fp_other", 2034, 12),
        ..card()
    };
    payment_methods::insert(&mut tx, ACCOUNT, &other, now).await.expect("another card");
    tx.commit().await;
    world.save("k3", |_| {}).await.expect("saved");
    world.turn_on().await.expect("on");
    world.uses("1", gigabytes(9)).await;
    assert_eq!(world.recharges().await, [Status::Opened], "another instrument ends it");
}
