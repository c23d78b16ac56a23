//! A carrier by the contract of `docs/carrier.md`: `laika sandbox` as a process of its own, with a
//! front before it through which the server reaches it, and which can be bad weather.
//!
//! What is given is the sandbox's to say. The front never gives anything itself: it passes a
//! request on, or does not, and lets the answer through, or not as it was.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use super::http::{Answer, Request};
use super::laika::{Place, Process};
use super::proxy;

/// What the sandbox's carrier takes for a secret.
pub const SECRET: &str = "sandbox-key-no-real-money";

/// What happens to the next top-up that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// 429, `Retry-After` a second: it is turned away.
    TooMany,
    /// It is given, and the answer is a 500.
    ErrorAfter,
    /// It is not given, and the answer is a 500.
    ErrorBefore,
    /// It is given, and the connection ends without an answer.
    LostAfter,
    /// It is not given, and the connection ends without an answer.
    LostBefore,
    /// It is given, and half of the answer comes.
    HalfAnAnswer,
    /// It is given, and the answer is a page for people.
    Malformed,
    /// It is given, and the answer waits for as long as anybody waits for it.
    Held,
    /// It is not given, and the carrier says so.
    Refused,
    /// It is not given, and something on the way says "422" that is not the carrier.
    RefusedByAProxy,
    /// It is given, and from then on the carrier says that it gave another amount.
    OtherAmount,
    /// The key has been used for something else before.
    UsedBefore,
}

/// The carrier and the front before it.
#[derive(Debug)]
pub struct Carrier {
    /// Where the server finds it.
    pub url: String,
    process: Option<Process>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// `http://host:port` of the sandbox.
    upstream: String,
    /// The next one last.
    troubles: Vec<Trouble>,
    /// What happens to every top-up, when nothing is said for it alone.
    always: Option<Trouble>,
    /// The carrier says that it gave another amount.
    lies: bool,
    /// How often each key was asked for.
    asked: BTreeMap<String, u32>,
    /// How often a top-up was looked for.
    looked: u32,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Carrier {
    /// Both, in a place, with nothing given.
    pub fn start(place: &Place) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/carrier/v1", listener.local_addr().expect("bound"));
        let shared = Arc::new(Shared { state: Mutex::default() });
        let answering = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = answering.clone();
                // A connection that breaks is what the server sees of it; nobody else asks.
                thread::spawn(move || drop(answer(stream, &shared)));
            }
        });
        let mut carrier = Self { url, process: None, shared };
        carrier.restart(place);
        carrier
    }

    /// `kill -9` where it runs; started again with the same file.
    pub fn restart(&mut self, place: &Place) {
        drop(self.process.take());
        let process = place.start(&["sandbox", "--file", "carrier.jsonl"]);
        self.shared.state().upstream = process.origin.clone();
        self.process = Some(process);
    }

    /// What happens to the next top-ups, one after the other.
    pub fn trouble(&self, troubles: &[Trouble]) {
        self.shared.state().troubles = troubles.iter().rev().copied().collect();
    }

    /// What happens to every top-up from now on; nothing unusual when nothing is said.
    pub fn always(&self, trouble: Option<Trouble>) {
        self.shared.state().always = trouble;
    }

    /// The carrier puts right what it said.
    pub fn mend(&self) {
        self.shared.state().lies = false;
    }

    /// How often top-ups were asked for, the same one again included.
    pub fn asked(&self) -> u32 {
        self.shared.state().asked.values().sum()
    }

    /// How often a top-up was looked for.
    pub fn looked(&self) -> u32 {
        self.shared.state().looked
    }

    /// How many keys there were.
    pub fn keys(&self) -> usize {
        self.shared.state().asked.len()
    }

    /// The address of a path of the contract, past the front.
    pub fn address(&self, path: &str) -> String {
        format!("{}/carrier/v1{path}", self.shared.state().upstream)
    }

    /// A request by the contract, past the front.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, &self.address(path))
            .header("Authorization", &format!("Bearer {SECRET}"))
    }

    /// Everything that it gave, by its own statement, every page.
    pub fn given(&self) -> Vec<Value> {
        let from = "1970-01-01T00:00:00Z";
        let mut path = format!("/statement?from={from}&until=9999-01-01T00:00:00Z");
        let mut rows = vec![];
        loop {
            let page = self.request("GET", &path).send().expect("the carrier").expect(200).json();
            rows.extend(page["top_ups"].as_array().expect("rows").iter().cloned());
            let Some(next) = page["next"].as_str() else { return rows };
            let until = page["until"].as_str().expect("an instant");
            path = format!("/statement?from={from}&until={until}&after={next}");
        }
    }
}

/// One request on each connection.
fn answer(mut near: TcpStream, shared: &Shared) -> io::Result<()> {
    let (head, body) = proxy::request(&mut near)?;
    let mut asked = head.first().map(String::as_str).unwrap_or_default().split(' ');
    let (method, path) = (asked.next().unwrap_or_default(), asked.next().unwrap_or_default());
    let header = |name: &str| {
        let mut lines = head.iter().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let (upstream, trouble) = {
        let mut state = shared.state();
        state.looked += u32::from(method == "GET" && path.starts_with("/carrier/v1/top-ups?"));
        let trouble = (method == "POST").then(|| {
            *state.asked.entry(header("idempotency-key")).or_default() += 1;
            state.troubles.pop().or(state.always)
        });
        (state.upstream.clone(), trouble.flatten())
    };
    let pass = |body: &[u8]| {
        Request::new(method, &format!("{upstream}{path}"))
            .header("Authorization", &header("authorization"))
            .header("Idempotency-Key", &header("idempotency-key"))
            .body(&header("content-type"), body.to_vec())
            .send()
    };
    let no = json!({ "code": "top_up_refused", "detail": "not now", "delivered": false });
    match trouble {
        Some(Trouble::TooMany) => write(near, 429, "Retry-After: 1\r\n", b""),
        Some(Trouble::ErrorBefore) => write(near, 500, "", b""),
        Some(Trouble::LostBefore) => Ok(()),
        Some(Trouble::Refused) => write(near, 422, "", no.to_string().as_bytes()),
        Some(Trouble::RefusedByAProxy) => write(near, 422, "", b"{\"code\":\"blocked\"}"),
        Some(Trouble::ErrorAfter) => pass(&body).and_then(|_| write(near, 500, "", b"")),
        Some(Trouble::LostAfter) => pass(&body).map(|_| ()),
        Some(Trouble::HalfAnAnswer) => {
            let whole = pass(&body)?.body;
            let length = format!("HTTP/1.1 200 Told\r\nContent-Length: {}\r\n\r\n", whole.len());
            near.write_all(&[length.as_bytes(), &whole[..whole.len() / 2]].concat())
        }
        Some(Trouble::Malformed) => {
            pass(&body).and_then(|_| write(near, 200, "", b"<html>given</html>"))
        }
        Some(Trouble::Held) => {
            pass(&body)?;
            // It ends when the other side is gone.
            near.read(&mut [0]).map(|_| ())
        }
        Some(Trouble::UsedBefore) => {
            let mut other: Value = serde_json::from_slice(&body).unwrap_or_default();
            other["data_bytes"] = json!(1_000_000);
            pass(other.to_string().as_bytes())?.expect(200);
            told(near, shared, &pass(&body)?)
        }
        Some(Trouble::OtherAmount) => {
            shared.state().lies = true;
            told(near, shared, &pass(&body)?)
        }
        None => told(near, shared, &pass(&body)?),
    }
}

/// The carrier's answer as it is, unless it lies.
fn told(near: TcpStream, shared: &Shared, answer: &Answer) -> io::Result<()> {
    let mut body = answer.json();
    if shared.state().lies && body["data_bytes"].is_i64() {
        body["data_bytes"] = json!(1_000_000);
        return write(near, answer.status, "", body.to_string().as_bytes());
    }
    write(near, answer.status, "", &answer.body)
}

fn write(mut near: TcpStream, status: u16, more: &str, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} Told\r\n{more}Content-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    near.write_all(&[head.as_bytes(), body].concat())
}
