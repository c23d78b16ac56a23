//! A customer with cards and a rule that is on, a store, and a sandbox on a real socket. Jobs are
//! done step by step, and time passes when told: nothing sleeps.

use crate::{
    App, Shared,
    clock::Clock,
    config::Config,
    error::Result,
    flow::{
        add_line, add_payment_method,
        audit::audit,
        evaluate, inputs,
        open::{Which, stop},
        perform::{perform, seen},
        submit::{Submitted, submit},
    },
    gateway::{Charge, Gateway},
    outbound::Outbound,
    sandbox::{
        self, Refusal, Request, Sandbox,
        cards::TEST_CARDS,
        carrier::{self, NextTopUp},
        provider::records::{NextCharge, Payment, PaymentStatus},
    },
    store::{
        Tx,
        accounts::{self, Account},
        balances, jobs, ledger, lines,
        lines::Line,
        messages, payment_methods,
        recharges::{self, Stored},
        rules::{self, Stored as Rules},
    },
};
use laika_core::{
    api::{Language, RuleChangeKind},
    bytes::Bytes,
    decide::{Cause, MethodFacts, Suspension},
    draft::RuleDraft,
    id::{AccountId, IdempotencyKey, PaymentMethodId, RechargeId},
    money::{Currency, Money},
    recharge::{Effect, Fact, Status},
    rule::{Amount, Limits, Rule, Threshold, Triggers},
    time::Span,
};
use std::{path::PathBuf, time::Duration};

const ACCOUNT: &str = "acc_test";
pub(super) const ICCID: &str = "8988247007000000105";

pub(super) struct World {
    pub(super) app: Shared,
    sandbox: Sandbox,
    line: Line,
    folder: PathBuf,
    /// Whether everything must be whole whenever nothing is due.
    pub(super) audited: bool,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl World {
    /// An empty line, these cards and wallets in this order, and "keep 5 GB, at 1 GB" switched on.
    pub(super) async fn new(name: &str, cards: &[&str]) -> World {
        let name = format!("laika-flow-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let url = format!("sqlite:{}", folder.join("laika.db").display());
        let config = Config::from_vars(&|name| (name == "DATABASE_URL").then(|| url.clone()));
        let app = App::open(config.expect("a configuration"), Clock::that_may_be_wrong()).await;
        let app = app.expect("a store");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        let sandbox = sandbox::open(&folder.join("sandbox.jsonl")).expect("a journal");
        tokio::spawn(sandbox::serve(sandbox.clone(), listener, std::future::pending()));
        app.sandbox.set(origin).expect("once");
        // Nobody listens there: every webhook of this world is lost.
        app.origin.set("http://localhost:9".to_owned()).expect("once");
        let line = settle(&app).await;
        let world = World { app, sandbox, line, folder, audited: true };
        let mut methods = Vec::new();
        for card in cards {
            methods.push(match *card {
                "alipay" | "wechat" => world.agree(card).await,
                card => world.add(card).await,
            });
        }
        world.write_rule(methods).await;
        world
    }

    pub(super) fn account(&self) -> &str {
        ACCOUNT
    }

    pub(super) fn line_id(&self) -> &str {
        self.line.id.as_str()
    }

    /// Adds a test card at the hosted page, confirming at the bank where asked.
    pub(super) async fn add(&self, card: &str) -> PaymentMethodId {
        let setup = add_payment_method::begin(&self.app, ACCOUNT).await.expect("a setup");
        let number = TEST_CARDS.iter().find(|known| known.name == card).expect(card).number;
        let form = format!("number={number}&expiry=12%2F34&cvc=123");
        let status = post(&setup.url, &form).await;
        assert_eq!(status, 303, "{card}");
        let origin = self.app.sandbox_origin().expect("a sandbox");
        // Cards that ask nothing answer that there is nothing to confirm.
        post(&format!("{origin}/pay/authenticate/{}", setup.id), "approved=1").await;
        add_payment_method::complete(&self.app, ACCOUNT, &setup.id).await.expect("a method")
    }

    /// Agrees to debits by a wallet at its page.
    pub(super) async fn agree(&self, wallet: &str) -> PaymentMethodId {
        let setup = add_payment_method::begin(&self.app, ACCOUNT).await.expect("a setup");
        let (page, language) = setup.url.split_once('?').expect("a language");
        let url = format!("{page}/{wallet}?{language}");
        assert_eq!(post(&url, "approved=1").await, 303, "{wallet}");
        add_payment_method::complete(&self.app, ACCOUNT, &setup.id).await.expect("a method")
    }

    pub(super) async fn confirm_at_bank(&self, url: &str) {
        assert_eq!(post(url, "approved=1").await, 303);
    }

    async fn write_rule(&self, payment_methods: Vec<PaymentMethodId>) {
        let mut tx = self.app.store.write().await.expect("a transaction");
        let now = self.app.clock.now();
        let eur = self.line.currency;
        let inputs = inputs::load(&mut tx, &self.line, now).await.expect("inputs");
        let rule = Rule {
            version: 1,
            on: true,
            armed_at: now,
            paused_until_on: None,
            skip_at: None,
            triggers: Triggers {
                low_balance: Some(Threshold::Data { bytes: Bytes::GB }),
                ..Triggers::default()
            },
            amount: Amount::Target { bytes: Bytes::GB.checked_mul(5).expect("5 GB") },
            limits: Limits {
                max_per_recharge: None,
                max_per_day: None,
                cap_per_month: Some(Money::new(100_000, eur)),
                cool_down_minutes: 30,
                starts_on: None,
                ends_on: None,
            },
            alert: None,
            payment_methods,
            step: laika_core::catalogue::Terms::sandbox(eur).step,
        };
        let stored = rules::Stored {
            rule,
            draft: RuleDraft::suggested(&inputs.account, now),
            suspended: None,
            consumed_through: None,
            consumed_expiry_at: None,
            alerted: false,
        };
        self.keep_rule(tx, &self.line, &stored, RuleChangeKind::TurnedOn).await;
    }

    /// Keeps the rule as its next version.
    async fn keep_rule(&self, mut tx: Tx, line: &Line, stored: &Rules, what: RuleChangeKind) {
        rules::put(&mut tx, line, stored).await.expect("kept");
        let new = rules::NewVersion { rule: &stored.rule, what, consent: None, request: None };
        rules::add_version(&mut tx, line, new).await.expect("kept");
        tx.commit().await;
    }

    /// Something makes the line be looked at: it is empty, so the rule fires.
    pub(super) async fn run_low(&self) {
        self.look().await;
        assert_eq!(self.recharges().await, 1, "a recharge is opened");
    }

    /// A recharge is opened, its charge ends so, and what is due of it is done.
    pub(super) async fn run_low_as(&self, next: NextCharge) {
        self.script(next).await;
        self.run_low().await;
        self.drain().await;
    }

    pub(super) async fn look(&self) {
        let mut tx = self.app.store.write().await.expect("a transaction");
        let now = self.app.clock.now();
        let line = lines::lock(&mut tx, ACCOUNT, self.line_id(), now).await.expect("locked");
        let line = line.expect("the line");
        evaluate::line_changed(&mut tx, &line, &Cause::Usage).await.expect("looked at");
        tx.commit().await;
    }

    /// Off, as far as the barrier goes; how many recharges had been sent.
    pub(super) async fn turn_off(&self) -> usize {
        let mut tx = self.app.store.write().await.expect("a transaction");
        let now = self.app.clock.now();
        let line = lines::lock(&mut tx, ACCOUNT, self.line_id(), now).await.expect("locked");
        let line = line.expect("the line");
        let mut stored = rules::get(&mut tx, &line).await.expect("read").expect("a rule");
        let sent = stop(&mut tx, &line, Which::Automatic).await.expect("stopped");
        stored.rule = Rule { on: false, version: 2, ..stored.rule };
        self.keep_rule(tx, &line, &stored, RuleChangeKind::TurnedOff).await;
        sent.len()
    }

    /// On again, as its next version.
    pub(super) async fn turn_on(&self) {
        let mut tx = self.app.store.write().await.expect("a transaction");
        let now = self.app.clock.now();
        let line = lines::lock(&mut tx, ACCOUNT, self.line_id(), now).await.expect("locked");
        let line = line.expect("the line");
        let mut stored = rules::get(&mut tx, &line).await.expect("read").expect("a rule");
        stored.rule = Rule { on: true, version: stored.rule.version + 1, ..stored.rule };
        self.keep_rule(tx, &line, &stored, RuleChangeKind::TurnedOn).await;
    }

    /// Does every job that is due, until none is; then the audit finds nothing.
    pub(super) async fn drain(&self) {
        self.work().await.expect("performed");
        if self.audited {
            self.is_whole().await;
        }
    }

    /// Does every job that is due, until none is or the process dies.
    pub(super) async fn work(&self) -> Result<()> {
        loop {
            let claimed = self.claim().await?;
            if claimed.is_empty() {
                return Ok(());
            }
            for job in claimed {
                perform(&self.app, &job).await?;
            }
        }
    }

    async fn claim(&self) -> Result<Vec<jobs::Claimed>> {
        let (app, mut tx) = (&self.app, self.app.store.write().await?);
        let times = (app.clock.now(), app.clock.wall());
        let claimed = jobs::claim_any(&mut tx, app.store.dialect, app.node(), times, 16).await?;
        tx.commit().await;
        Ok(claimed)
    }

    /// The same worker starts again: it holds no job.
    pub(super) async fn restart(&self) {
        let mut tx = self.app.store.write().await.expect("a transaction");
        jobs::release(&mut tx, self.app.node()).await.expect("released");
        tx.commit().await;
    }

    /// Somebody is to make sure that an attempt of the last recharge cannot capture any more.
    pub(super) async fn plan_to_cancel(&self, attempt: u32) {
        let (recharge_id, now) = (self.last().await.recharge.id, self.app.clock.now());
        let effect = Effect::CancelPayment { attempt };
        let work = jobs::Work::Recharge { recharge_id, effect };
        let mut tx = self.app.store.write().await.expect("a transaction");
        jobs::enqueue(&mut tx, ACCOUNT, self.line_id(), &work, now).await.expect("enqueued");
        tx.commit().await;
    }

    /// How many jobs are left that are of a recharge.
    pub(super) async fn jobs_of_recharges(&self) -> i64 {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        let row = crate::sql!("SELECT COUNT(*) FROM jobs WHERE key NOT LIKE '%/evaluate'")
            .fetch_one(&mut *snapshot)
            .await;
        sqlx::Row::get(&row.expect("a row"), 0)
    }

    /// A worker sends the charge and dies before it writes the answer down; another one starts.
    pub(super) async fn send_and_die(&self) {
        for job in self.claim().await.expect("claimed") {
            let jobs::Work::Recharge { recharge_id, effect: Effect::Charge { attempt } } =
                &job.work
            else {
                continue;
            };
            let sent = submit(&self.app, &job, recharge_id, *attempt).await.expect("recorded");
            let Submitted::Send(charge) = sent else { panic!("it may be sent") };
            let gateway = self.app.gateway().expect("a gateway");
            gateway.charge(&charge).await.expect("charged");
        }
        self.restart().await;
    }

    /// A worker sends the charge and hears the answer, which it has yet to write down.
    pub(super) async fn send(&self) -> (jobs::Claimed, RechargeId, Fact) {
        for job in self.claim().await.expect("claimed") {
            let jobs::Work::Recharge { recharge_id, effect: Effect::Charge { attempt } } =
                &job.work
            else {
                continue;
            };
            let sent = submit(&self.app, &job, recharge_id, *attempt).await.expect("recorded");
            let Submitted::Send(charge) = sent else { panic!("it may be sent") };
            let answer = self.app.gateway().expect("a gateway").charge(&charge).await;
            let fact = seen(*attempt, answer.expect("an answer"));
            let recharge_id = recharge_id.clone();
            return (job, recharge_id, fact);
        }
        panic!("there is no charge to send")
    }

    /// The last charge once more, as a gateway would that has forgotten its key.
    pub(super) async fn charge_again_under_another_key(&self) {
        let recharge = self.last().await.recharge;
        let attempt = recharge.attempts.last().expect("an attempt").number;
        self.charge_as("forgotten", &recharge.id, attempt).await;
    }

    /// Charges the last recharge's price at the gateway, past all of our own code; the payment.
    pub(super) async fn charge_as(&self, key: &str, recharge: &RechargeId, attempt: u32) -> String {
        let last = self.last().await.recharge;
        let method = &last.attempts.last().expect("an attempt").payment_method_id;
        let charge = Charge {
            key: IdempotencyKey::new(key).expect("a key"),
            customer: add_payment_method::customer(&self.app, ACCOUNT).await.expect("known"),
            token: self.token(method).await,
            amount: last.order.amount,
            account_id: AccountId::new(ACCOUNT).expect("an id"),
            recharge_id: recharge.clone(),
            attempt,
            return_url: "http://localhost:9/".to_owned(),
        };
        self.app.gateway().expect("a gateway").charge(&charge).await.expect("charged").id
    }

    /// Changes the database past all of our own code.
    pub(super) async fn change(&self, statement: String) {
        let mut tx = self.app.store.write().await.expect("a transaction");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await.expect("changed");
        tx.commit().await;
    }

    /// What customers were told, the newest first.
    pub(super) async fn told(&self) -> Vec<String> {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        let all = messages::newest(&mut snapshot).await.expect("read");
        all.into_iter().map(|message| message.body).collect()
    }

    /// What the audit finds.
    pub(super) async fn violations(&self) -> Vec<&'static str> {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        let report = audit(&mut snapshot).await.expect("read");
        report.violations.iter().map(|it| it.code).collect()
    }

    pub(super) fn pass(&self, span: Span) {
        self.app.clock.set_offset(self.app.clock.offset() + span.0);
    }

    pub(super) async fn script(&self, next: NextCharge) {
        let Gateway::Sandbox(gateway) = self.app.gateway().expect("a gateway") else {
            unreachable!("no other gateway is configured")
        };
        let customer = add_payment_method::customer(&self.app, ACCOUNT).await.expect("known");
        gateway.script(&customer, next).await.expect("scripted");
    }

    pub(super) async fn script_delivery(&self, next: NextTopUp) {
        let request = carrier::Request::Script { iccid: ICCID.to_owned(), next };
        self.ask(Request::Carrier(request)).await.expect("scripted");
    }

    /// Something at the provider or the carrier that does not come from us, by the machine's time.
    pub(super) async fn ask(&self, request: Request) -> Result<(), Refusal> {
        self.sandbox.take(request, None).await.answer.map(|_| ())
    }

    pub(super) async fn recharges(&self) -> usize {
        self.all().await.len()
    }

    async fn all(&self) -> Vec<Stored> {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        recharges::of_line(&mut snapshot, ACCOUNT, self.line_id()).await.expect("read")
    }

    pub(super) async fn last(&self) -> Stored {
        self.all().await.into_iter().next().expect("a recharge")
    }

    pub(super) async fn status(&self) -> Status {
        self.last().await.recharge.status
    }

    pub(super) async fn suspended(&self) -> Option<Suspension> {
        self.rule().await.suspended
    }

    pub(super) async fn rule(&self) -> rules::Stored {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        let stored = rules::get(&mut snapshot, &self.line).await.expect("read");
        stored.expect("a rule")
    }

    pub(super) async fn suspend(&self, why: Suspension) {
        let mut tx = self.app.store.write().await.expect("a transaction");
        rules::suspend(&mut tx, &self.line, Some(why)).await.expect("suspended");
        tx.commit().await;
    }

    pub(super) async fn methods(&self) -> Vec<MethodFacts> {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        let now = self.app.clock.now();
        payment_methods::facts(&mut snapshot, &self.line, now).await.expect("read")
    }

    pub(super) async fn token(&self, id: &PaymentMethodId) -> String {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        let method = payment_methods::get(&mut snapshot, ACCOUNT, id.as_str()).await;
        method.expect("read").expect("a method").token
    }

    pub(super) async fn available(&self) -> u64 {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        let balance = balances::load(&mut snapshot, &self.line).await.expect("read");
        balance.available(self.app.clock.now()).get()
    }

    /// The provider's own list.
    pub(super) fn payments(&self) -> Vec<Payment> {
        self.sandbox.look(|state| state.provider.payments().to_vec())
    }

    /// What the provider took, payment by payment.
    pub(super) fn captured(&self) -> Vec<i64> {
        let taken = |payment: &Payment| payment.status == PaymentStatus::Succeeded;
        self.payments().iter().filter(|p| taken(p)).map(|p| p.captured_minor).collect()
    }

    /// What the carrier gave in all.
    pub(super) fn delivered(&self) -> i64 {
        self.sandbox.look(|state| state.carrier.balance(ICCID).data_bytes)
    }

    pub(super) fn detached(&self, token: &str) -> bool {
        let method = |state: &sandbox::State| state.provider.payment_method(token).cloned();
        self.sandbox.look(method).is_some_and(|method| !method.attached)
    }

    /// Every transaction sums to zero, and every balance is the sum of its entries.
    pub(super) async fn books_balance(&self) {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        assert!(ledger::unbalanced(&mut snapshot).await.expect("read").is_empty());
        let kept = ledger::balances(&mut snapshot).await.expect("read");
        let sums = ledger::sums(&mut snapshot).await.expect("read");
        assert_eq!((kept.is_empty(), super::books::held(kept)), (false, super::books::held(sums)));
    }

    /// The audit finds nothing.
    pub(super) async fn is_whole(&self) {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        let report = audit(&mut snapshot).await.expect("read");
        assert!(report.violations.is_empty(), "{:?}", report.violations);
    }
}

/// An account with an empty line.
async fn settle(app: &Shared) -> Line {
    let now = app.clock.now();
    let account = Account {
        id: AccountId::new(ACCOUNT).expect("an id"),
        version: 0,
        phone: "+34612345678".to_owned(),
        email: "one@example.org".to_owned(),
        password_hash: None,
        language: Language::En,
        time_zone: "Europe/Madrid".to_owned(),
        kept_periods: None,
    };
    let new = add_line::NewLine {
        iccid: ICCID.to_owned(),
        bytes: Bytes::ZERO,
        credit_minor: 0,
        currency: Currency::from_code("EUR").expect("EUR"),
    };
    let mut tx = app.store.write().await.expect("a transaction");
    accounts::insert(&mut tx, &account, now).await.expect("an account");
    let line = add_line::add(&mut tx, ACCOUNT, &new, now).await.expect("added").expect("a line");
    tx.commit().await;
    line
}

/// Posts a form as a browser does; the status of the answer.
async fn post(url: &str, form: &str) -> u16 {
    let client = Outbound::new(Duration::from_secs(10));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    client.send("POST", url, &headers, form.into()).await.expect("a page").status
}
