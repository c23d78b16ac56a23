//! Stripe, as far as a test needs it: localstripe as a process, with a front of ours before it that
//! does what localstripe cannot.
//!
//! Customers, cards, payments and refunds are localstripe's own. The front adds the hosted page,
//! the bank's page, idempotency, lists by time and customer, disputes, webhooks that are sent until
//! they are taken, errors in the shape of Stripe's, and bad weather. It never decides whether a
//! charge or a refund moves money: it asks localstripe, or says that nothing was asked.

mod beside;
mod disputes;
mod front;
mod lists;
mod records;
mod webhooks;

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use super::http::{Answer, Request};
pub use webhooks::Event;

/// The key that the server is given. It is found in no log and no database.
pub const KEY: &str = "sk_test_nowhere_but_in_the_header";
/// What signs the webhooks.
pub const WEBHOOK_SECRET: &str = "whsec_nowhere_but_in_the_signature";

/// What happens to the next charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// 429: it is turned away.
    TooMany,
    /// 409: the same key is being worked on; nothing more happens.
    InUse,
    /// It is made, and the answer is a 500.
    ErrorAfter,
    /// It is made, and the connection ends without an answer.
    LostAfter,
    /// It is not made, and the connection ends without an answer.
    LostBefore,
    /// It is made, and half of the answer comes.
    HalfAnAnswer,
    /// It is made, and the answer waits for as long as anybody waits for it.
    Held,
}

/// localstripe and the front before it. Both end with it.
#[derive(Debug)]
pub struct Stripe {
    /// Where the server finds it.
    pub origin: String,
    process: Child,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    origin: String,
    upstream: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What was answered under a key, to which body.
    answered: HashMap<String, (Vec<u8>, u16, Value)>,
    /// Visits to the hosted page: the setup, and where they end.
    visits: HashMap<String, (String, String)>,
    /// Payments whose bank wants the customer, and has no page yet.
    unasked: Vec<String>,
    troubles: Vec<Trouble>,
    /// So many look-ups fail from now on.
    look_ups_fail: u32,
    lists_fail: bool,
    charges: u32,
    /// The disputes, in the order in which they began.
    disputes: Vec<Value>,
    /// By how many seconds a record is older here than at localstripe, by its name.
    older: HashMap<String, i64>,
    events: Vec<Event>,
    webhooks_to: Option<String>,
    /// How each webhook was answered, each time it was sent, by its kind.
    answers: Vec<(String, Option<u16>)>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request to localstripe, which takes no keys.
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> io::Result<Answer> {
        Request::new(method, &format!("{}{path}", self.upstream))
            .header("Authorization", &format!("Bearer {KEY}"))
            .body("application/x-www-form-urlencoded", body.to_vec())
            .send()
    }
}

impl Stripe {
    /// Both, with nothing in them.
    pub fn start() -> Self {
        let program = std::env::var_os("LAIKA_LOCALSTRIPE").map(PathBuf::from);
        let words = "LAIKA_LOCALSTRIPE names the program; `cargo xtask test` sets it";
        let mut command = Command::new(program.expect(words));
        command.args(["--port", "0", "--from-scratch"]).env("PYTHONUNBUFFERED", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("localstripe starts");
        let upstream = port(&mut process).map(|port| format!("http://localhost:{port}"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        let shared = Shared {
            origin: origin.clone(),
            upstream: upstream.expect("localstripe says where it listens"),
            state: Mutex::default(),
        };
        let shared = Arc::new(shared);
        let answering = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = answering.clone();
                // A connection that breaks is what the server sees of it; nobody else asks.
                thread::spawn(move || drop(front::answer(stream, &shared)));
            }
        });
        let stripe = Self { origin, process, shared };
        let hook = json!({ "url": format!("{}/hook", stripe.origin), "secret": WEBHOOK_SECRET });
        let url = format!("{}/_config/webhooks/front", stripe.shared.upstream);
        Request::new("POST", &url).json(&hook).send().expect("localstripe").expect(200);
        stripe
    }

    /// What happens to the next charges, one after the other.
    pub fn trouble(&self, troubles: &[Trouble]) {
        self.shared.state().troubles = troubles.iter().rev().copied().collect();
    }

    /// So many look-ups of one payment fail from now on.
    pub fn fail_look_ups(&self, number: u32) {
        self.shared.state().look_ups_fail = number;
    }

    /// How many charges the server has sent, the same one again included.
    pub fn charges(&self) -> u32 {
        self.shared.state().charges
    }

    /// Every payment that localstripe has, as Stripe would say it, the newest first.
    pub fn payments(&self) -> Vec<Value> {
        lists::payments(&self.shared).expect("localstripe")
    }

    /// How much money was taken and not given back or taken back by a bank, in the minor units of
    /// whatever it is in.
    pub fn taken(&self) -> i64 {
        let one = |payment: &Value| {
            let back = payment["latest_charge"]["amount_refunded"].as_i64().unwrap_or(0);
            payment["amount_received"].as_i64().unwrap_or(0) - back
        };
        let disputed = disputes::moved_minor(&self.shared.state().disputes);
        self.payments().iter().map(one).sum::<i64>() + disputed
    }
}

/// Where it listens, from its second line: it chooses the port itself.
fn port(process: &mut Child) -> Option<String> {
    let mut stdout = BufReader::new(process.stdout.take()?);
    let mut line = String::new();
    while !line.contains("Running on") {
        line.clear();
        if stdout.read_line(&mut line).ok()? == 0 {
            return None;
        }
    }
    // Why: a full pipe would stop the process at its next line.
    thread::spawn(move || drop(io::copy(&mut stdout, &mut io::sink())));
    let digits = line.rsplit(':').next()?.split(|c: char| !c.is_ascii_digit()).next()?;
    (!digits.is_empty()).then(|| digits.to_owned())
}

impl Drop for Stripe {
    fn drop(&mut self) {
        // Whatever is still to be sent is for a server that ends with this test.
        self.shared.state().webhooks_to = None;
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
