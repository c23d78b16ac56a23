//! The world of one seed: two customers with three lines and their cards, a database of their own,
//! the sandbox in this process, one clock. A process that dies is begun anew on the same file.

use super::{alerts::Alerts, trace::Trace, truth::Truth};
use crate::{
    App, Shared,
    clock::Clock,
    config::Config,
    fault,
    flow::add_line::{self, NewLine},
    outbound::Outbound,
    sandbox::{
        InProcess, Sandbox,
        in_process::trouble::{self, Trouble},
        provider::KEY_KEPT,
    },
    secret::seeded,
    store::{
        Store,
        accounts::{self, Account},
        jobs::Claimed,
        lines::Line,
        tests::Folder,
    },
    worker,
};
use laika_core::{
    api::Language,
    bytes::Bytes,
    id::AccountId,
    money::Currency,
    time::{Instant, Span},
};
use laika_tests::support::random::Random;
use std::{
    cell::RefCell,
    path::PathBuf,
    rc::Rc,
    sync::{Arc, OnceLock},
};
use tokio::{sync::oneshot, task::JoinHandle};

/// The customer who does nearly everything, with two lines,
pub(super) const ANA: &str = "acc_ana";
/// and the bystander, with one.
pub(super) const BEN: &str = "acc_ben";

/// Where customers live: half and whole hours of summer time, none, and a day ahead of all others.
const ZONES: [&str; 6] = [
    "Europe/Madrid",
    "America/New_York",
    "Asia/Shanghai",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Santiago",
];

/// Shortly before something happens to the calendar: months, a leap day, changes of summer time.
const BEGINNINGS: [&str; 8] = [
    "2026-01-30T21:00:00Z",
    "2026-03-07T18:00:00Z",
    "2026-03-28T20:00:00Z",
    "2026-06-29T12:00:00Z",
    "2026-10-24T20:00:00Z",
    "2026-12-30T09:00:00Z",
    "2027-05-11T08:00:00Z",
    "2028-02-27T22:00:00Z",
];

/// For so long a call stands still at most.
const STANDS_MOST: Span = Span::hours(19);
/// For so long a request to the provider is on its way at most, of the twenty hours that it is
/// asked for again, and one to the carrier, of the hour.
const ON_ITS_WAY_MOST: (Span, Span) = (Span::hours(19), Span::minutes(50));

/// A part of the program that stands still in the middle of an exchange.
pub(super) struct Hung {
    /// Until when at most.
    until: Instant,
    pub(super) what: String,
    pub(super) release: oneshot::Sender<()>,
    pub(super) task: JoinHandle<Ended>,
}

/// What a flow call ends in, in words, or why it did not.
pub(super) type Ended = crate::error::Result<String>;

/// Where a process dies in a step, once it is told.
#[derive(Default)]
pub(super) struct Death {
    /// So many points are passed before.
    pub(super) after: Option<u64>,
}

pub(super) struct World {
    pub(super) app: Shared,
    /// Processes that are gone, but for what stood still in them.
    others: Vec<Shared>,
    config: Config,
    wire: InProcess,
    pub(super) sandbox: Sandbox,
    pub(super) random: Random,
    pub(super) trace: Trace,
    /// The machine's time, which may jump.
    pub(super) wall: Instant,
    pub(super) lines: Vec<Line>,
    pub(super) truth: Truth,
    pub(super) hung: Vec<Hung>,
    /// Jobs that a worker claimed, and has not begun.
    pub(super) held: Vec<(Shared, Claimed)>,
    /// Late requests, and when each arrives.
    late: Vec<(Instant, hyper::Request<http_body_util::Full<hyper::body::Bytes>>)>,
    death: Rc<RefCell<Death>>,
    pub(super) alerts: Alerts,
    _listening: tracing::subscriber::DefaultGuard,
    /// The points that a process died at.
    pub(super) died_at: Vec<String>,
    _folder: Folder,
}

/// A folder in memory where there is one: a seed has a database of its own, and a disk is not what
/// is looked at here.
fn folder() -> Folder {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    Folder::within(&base)
}

fn config(folder: &Folder) -> Config {
    let key = "5".repeat(64);
    let config = Config::from_vars(&|name| (name == "LAIKA_SIGNING_KEY").then(|| key.clone()));
    Config { database: folder.url(), ..config.expect("a configuration") }
}

/// A database on which every migration has run, to be copied.
async fn template() -> &'static [u8] {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(made) = TEMPLATE.get() {
        return made;
    }
    let folder = folder();
    let store = Store::open(&folder.url()).await.expect("a new database");
    store.close().await;
    let made = std::fs::read(folder.0.join("laika.db")).expect("a database");
    TEMPLATE.get_or_init(|| made)
}

impl World {
    pub(super) async fn new(seed: u64) -> World {
        // Why: folders have a name of their own, whatever the seed.
        seeded::by(None);
        fault::end();
        let folder = folder();
        std::fs::write(folder.0.join("laika.db"), template().await).expect("copied");
        seeded::by(Some(seed));
        let mut random = Random::new(seed);
        let config = config(&folder);
        let sandbox = Sandbox::in_memory(&format!("{seed:064x}")).expect("a sandbox");
        let wire = InProcess::new(sandbox.clone());
        let beginning = Instant::parse(random.pick::<&str>(&BEGINNINGS)).expect("an instant");
        let minutes = i64::try_from(random.below(2 * 24 * 60)).expect("small");
        let wall = beginning.plus(Span::minutes(minutes));
        let store = Store::open(&config.database).await.expect("a database");
        let app = process(&config, store, &wire, wall).await;
        let alerts = Alerts::default();
        let mut world = World {
            app,
            others: Vec::new(),
            config,
            wire,
            sandbox,
            random,
            trace: Trace::default(),
            wall,
            lines: Vec::new(),
            truth: Truth::default(),
            hung: Vec::new(),
            held: Vec::new(),
            late: Vec::new(),
            death: Rc::default(),
            _listening: alerts.begin(),
            alerts,
            died_at: Vec::new(),
            _folder: folder,
        };
        world.settle().await;
        world
    }

    /// The customers and their lines.
    async fn settle(&mut self) {
        let other = *self.random.pick(&["EUR", "JPY", "KWD"]);
        let mut lines = Vec::new();
        let mut tx = self.app.store.write().await.expect("a transaction");
        for (place, id) in [ANA, BEN].into_iter().enumerate() {
            let abroad = self.random.below(8) == 0;
            let zone = *self.random.pick(&ZONES);
            let account = Account {
                id: AccountId::new(id).expect("an id"),
                version: 0,
                phone: format!("+{}61234567{place}", if abroad { "861" } else { "34" }),
                email: format!("{id}@example.org"),
                password_hash: None,
                language: if abroad { Language::ZhCn } else { Language::En },
                time_zone: zone.to_owned(),
                kept_periods: None,
            };
            accounts::insert(&mut tx, &account, self.wall).await.expect("an account");
        }
        for (place, (account, currency)) in
            [(ANA, "EUR"), (ANA, other), (BEN, "EUR")].into_iter().enumerate()
        {
            let new = NewLine {
                iccid: format!("898824700700000010{place}"),
                bytes: Bytes::GB.checked_mul(1 + self.random.below(4)).expect("an amount"),
                credit_minor: 0,
                currency: Currency::from_code(currency).expect("a currency"),
            };
            let line = add_line::add(&mut tx, account, &new, self.wall).await.expect("added");
            lines.push(line.expect("a new line"));
        }
        tx.commit().await;
        self.truth.begin(&lines);
        self.lines = lines;
    }

    /// From now on, dies after so many points; or lives.
    pub(super) fn doom(&mut self, after: Option<u64>) {
        self.death.borrow_mut().after = after;
        let death = Rc::clone(&self.death);
        // Why: a worker that claims passes two points, and most that are told to die would there.
        let spares_claims = self.random.below(8) > 0;
        fault::begin(move |point| {
            let mut death = death.borrow_mut();
            let Some(left) = death.after else { return false };
            if spares_claims && point.starts_with("claim.") {
                return false;
            }
            death.after = left.checked_sub(1);
            left == 0
        });
    }

    /// A process that has died, or is killed, is begun anew.
    pub(super) async fn restart(&mut self) {
        fault::end();
        let reopens = self.random.below(16) == 0 && self.hung.is_empty();
        let store = if reopens {
            self.app.store.close().await;
            Store::open(&self.config.database).await.expect("a database")
        } else {
            self.app.store.clone()
        };
        let app = process(&self.config, store, &self.wire, self.wall).await;
        self.others.push(std::mem::replace(&mut self.app, app));
        worker::start(&self.app).await.expect("released");
    }

    /// Trouble for one exchange of the next step; or none.
    pub(super) fn trouble(&self) -> &trouble::Line {
        &self.wire.trouble
    }

    /// Whether something would stand still for too long.
    pub(super) fn stands_too_long(&self, span: Span) -> bool {
        let to = self.now().max(self.wall.plus(span));
        self.hung.iter().any(|hung| to >= hung.until)
    }

    /// Until when a request may be on its way: for so long as it may at most, and while its key is
    /// remembered. What is sent after a day charges anew, and nobody can keep it from it; what the
    /// carrier gives after it has refused for an hour is paid for by nobody.
    fn on_its_way_until(&self, (path, key): &(String, Option<String>)) -> Instant {
        if path.starts_with("/carrier/") {
            return self.now().plus(ON_ITS_WAY_MOST.1);
        }
        let first = self.sandbox.look(|state| state.provider.first_use(key.as_deref()?));
        let forgotten = first.map(|at| Instant::from_micros(at + KEY_KEPT).minus(Span::minutes(1)));
        self.now().plus(ON_ITS_WAY_MOST.0).min(forgotten.unwrap_or(Instant::MAX))
    }

    /// The time as the rules see it.
    pub(super) fn now(&self) -> Instant {
        self.app.clock.now()
    }

    /// The machine's time moves, forward or back. What was late arrives on the way.
    pub(super) async fn pass(&mut self, span: Span) {
        self.collect_late();
        let to = self.wall.plus(span);
        self.late.sort_by_key(|(at, _)| *at);
        while self.late.first().is_some_and(|(at, _)| *at <= to) {
            let (at, request) = self.late.remove(0);
            let now = at.max(self.now());
            trouble::arrive(&self.wire, request, now.micros()).await;
            self.trace.add(format!("  a late request arrives at {at}"));
        }
        self.wall = to;
        self.app.clock.set(to);
        // Why: a process that stood still reads the machine's time when it goes on.
        self.others.retain(|app| Arc::strong_count(app) > 1);
        self.others.iter().for_each(|app| app.clock.set(to));
    }

    /// Gives each late request its time.
    fn collect_late(&mut self) {
        for request in self.wire.trouble.late() {
            let about = trouble::about(&request);
            let most = if about.0.starts_with("/carrier/") { 50 } else { 19 * 60 };
            let minutes = i64::try_from(1 + self.random.below(most)).expect("small");
            let last = self.on_its_way_until(&about);
            let at = self.wall.plus(Span::minutes(minutes)).min(last).max(self.wall);
            self.late.push((at, request));
        }
    }

    /// Does a flow call that may stand still in the middle; nothing when it does.
    pub(super) async fn call(
        &mut self,
        what: impl Into<String>,
        call: impl Future<Output = Ended> + Send + 'static,
    ) -> Option<Ended> {
        self.go_on(what.into(), tokio::spawn(call)).await
    }

    /// Lets a flow call go on that stood still.
    pub(super) async fn let_go(&mut self, hung: Hung) -> Option<Ended> {
        // Why: a call that is gone needs no letting go.
        let _ = hung.release.send(());
        self.go_on(hung.what, hung.task).await
    }

    async fn go_on(&mut self, what: String, mut task: JoinHandle<Ended>) -> Option<Ended> {
        tokio::select! {
            ended = &mut task => Some(ended.expect("no panic")),
            () = self.wire.trouble.hung() => {
                let standing = self.wire.trouble.standing().expect("an exchange that stands still");
                let most = self.now().plus(STANDS_MOST);
                let until = standing.unsent.map_or(most, |it| self.on_its_way_until(&it));
                self.hung.push(Hung { until, what, release: standing.release, task });
                None
            }
        }
    }

    /// One chance in so many.
    pub(super) fn one_in(&mut self, many: u64) -> bool {
        self.random.below(many) == 0
    }

    /// Some trouble or other for one exchange.
    pub(super) fn some_trouble(&mut self) -> Trouble {
        *self.random.pick(&[
            Trouble::NoConnection,
            Trouble::LostBefore,
            Trouble::LostAfter,
            Trouble::LostAfter,
            Trouble::Late,
            Trouble::StatusBefore(429),
            Trouble::StatusBefore(503),
            Trouble::StatusAfter(500),
            Trouble::Malformed,
            Trouble::HangBefore,
            Trouble::HangAfter,
        ])
    }
}

/// A process begins.
async fn process(config: &Config, store: Store, wire: &InProcess, wall: Instant) -> Shared {
    let outbound = Outbound::in_process(wire.clone());
    let app = App::over(config.clone(), Clock::at(wall), store, outbound).await.expect("begun");
    app.sandbox.set("http://127.0.0.1:1".to_owned()).expect("once");
    // Why: of the same place, so that its next life knows what it held.
    app.node.set("node_sim".to_owned()).expect("once");
    app
}
