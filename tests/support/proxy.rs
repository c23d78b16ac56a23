//! Stands between the server and the sandbox, as a network does, and can be a bad one: it keeps the
//! answer to a charge back, takes the idempotency key out of the request, or is foul weather, in
//! which by a seed about every other request to provider and carrier meets some trouble.
//!
//! One connection carries one request, so a lost answer stays a lost answer. It invents nothing but
//! the errors that a machine on the way may invent.

mod trouble;

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::random::Random;
pub use trouble::Trouble;

/// A charge, at the sandbox provider.
const CHARGE: &str = "POST /provider/v1/payments ";
/// Everything that the provider takes a key for.
const KEYED: &str = "POST /provider/";
/// What the worker asks of provider and carrier: where the weather matters.
const MONEY: [&str; 3] =
    ["POST /provider/v1/payments", "GET /provider/v1/payments", "/carrier/v1/top-ups"];
/// What the provider is asked about a payment.
const LOOK_UP: &str = "GET /provider/v1/payments";
const KEY: &str = "idempotency-key";

/// A listening proxy. It lives as long as the test's process.
#[derive(Debug)]
pub struct Proxy {
    /// `127.0.0.1:port`.
    pub listen: String,
    weather: Arc<Weather>,
}

#[derive(Debug)]
struct Weather {
    keys_pass: bool,
    /// The next charge's answer is kept back.
    keep_next: AtomicBool,
    /// Answers kept back so far.
    kept: AtomicU64,
    /// Answers that are not waited for any more.
    given_up: AtomicU64,
    /// What was kept back arrives after all.
    arrives: AtomicBool,
    /// No look-up of a payment gets through.
    no_look_ups: AtomicBool,
    foul: Mutex<Option<Random>>,
    met: Mutex<BTreeMap<Trouble, u64>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// In front of `target` (`host:port`), with the idempotency keys or without them.
    pub fn start(target: &str, keys_pass: bool) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let listen = listener.local_addr()?.to_string();
        let weather = Arc::new(Weather {
            keys_pass,
            keep_next: AtomicBool::new(false),
            kept: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            arrives: AtomicBool::new(false),
            no_look_ups: AtomicBool::new(false),
            foul: Mutex::default(),
            met: Mutex::default(),
        });
        let (shared, target) = (weather.clone(), target.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (weather, target) = (shared.clone(), target.clone());
                // A connection that breaks is what the server sees of it; nobody else asks.
                thread::spawn(move || drop(pass(stream, &target, &weather)));
            }
        });
        Ok(Self { listen, weather })
    }

    /// The next charge reaches the provider; its answer does not come back.
    pub fn keep_next_answer(&self) {
        self.weather.keep_next.store(true, Ordering::SeqCst);
    }

    /// How many answers were kept back so far.
    pub fn kept(&self) -> u64 {
        self.weather.kept.load(Ordering::SeqCst)
    }

    /// Lets the answers that are being kept back arrive after all.
    pub fn let_arrive(&self) {
        self.weather.arrives.store(true, Ordering::SeqCst);
        self.give_up();
    }

    /// Ends what is being kept back: those connections close without an answer.
    pub fn give_up(&self) {
        self.weather.keep_next.store(false, Ordering::SeqCst);
        self.weather.given_up.store(self.kept(), Ordering::SeqCst);
    }

    /// From now on no look-up of a payment gets through, or does again.
    pub fn look_ups_fail(&self, fail: bool) {
        self.weather.no_look_ups.store(fail, Ordering::SeqCst);
    }

    /// From now on the weather is foul, by a seed.
    pub fn turn_foul(&self, seed: u64) {
        *lock(&self.weather.foul) = Some(Random::new(seed));
    }

    /// From now on it is fair again.
    pub fn turn_fair(&self) {
        *lock(&self.weather.foul) = None;
    }

    /// How often each trouble was met so far.
    pub fn met(&self) -> BTreeMap<Trouble, u64> {
        lock(&self.weather.met).clone()
    }
}

impl Weather {
    /// What happens to a request, and how long whatever happens slowly takes.
    fn over(&self, asked: &str) -> (Option<Trouble>, Duration) {
        if self.no_look_ups.load(Ordering::SeqCst) && asked.starts_with(LOOK_UP) {
            return (Some(Trouble::ErrorBefore), Duration::ZERO);
        }
        let mut foul = lock(&self.foul);
        let Some(random) = foul.as_mut() else { return (None, Duration::ZERO) };
        if random.below(2) == 0 || !MONEY.iter().any(|path| asked.contains(path)) {
            return (None, Duration::ZERO);
        }
        let trouble = *random.pick(&Trouble::ALL);
        *lock(&self.met).entry(trouble).or_default() += 1;
        (Some(trouble), Duration::from_millis(random.below(800)))
    }
}

/// A header's name, from its line.
fn named(line: &str) -> String {
    line.split(':').next().unwrap_or_default().to_ascii_lowercase()
}

/// A whole request: its lines up to the empty one, and its body.
pub(super) fn request(near: &mut TcpStream) -> io::Result<(Vec<String>, Vec<u8>)> {
    let (head, mut body) = head(near)?;
    let length = head
        .iter()
        .find(|line| named(line) == "content-length")
        .and_then(|line| line.split_once(':')?.1.trim().parse::<usize>().ok());
    while body.len() < length.unwrap_or(0) {
        let mut more = [0; 4096];
        match near.read(&mut more)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => body.extend_from_slice(&more[..read]),
        }
    }
    Ok((head, body))
}

/// One request there, its answer back, then the end of the connection.
fn pass(mut near: TcpStream, target: &str, weather: &Weather) -> io::Result<()> {
    let (trouble, slowness) = weather.over(&asked(&near)?);
    if trouble == Some(Trouble::Reset) {
        // What was not read is what makes this a reset, not an end.
        return Ok(());
    }
    let (head, body) = request(&mut near)?;
    let asked = head.first().map(String::as_str).unwrap_or_default();
    if let Some(trouble) = trouble
        && let Some(instead) = trouble.instead(slowness)
    {
        return near.write_all(instead);
    }
    let without = if !weather.keys_pass && asked.starts_with(KEYED) { KEY } else { "" };
    let kept = head.iter().filter(|line| !["connection", without].contains(&&*named(line)));
    let lines: Vec<&str> = kept.map(String::as_str).chain(["Connection: close", "", ""]).collect();
    let mut far = TcpStream::connect(target)?;
    far.write_all(&[lines.join("\r\n").as_bytes(), &body].concat())?;
    let mut answer = vec![];
    far.read_to_end(&mut answer)?;
    if asked.starts_with(CHARGE) && weather.keep_next.swap(false, Ordering::SeqCst) {
        let number = weather.kept.fetch_add(1, Ordering::SeqCst) + 1;
        while weather.given_up.load(Ordering::SeqCst) < number {
            thread::park_timeout(Duration::from_millis(5));
        }
        if !weather.arrives.load(Ordering::SeqCst) {
            return Ok(());
        }
    }
    match trouble {
        Some(trouble) => trouble.answer(&mut near, &answer, slowness),
        None => near.write_all(&answer),
    }
}

/// The request's first line, which is then still to be read.
fn asked(near: &TcpStream) -> io::Result<String> {
    let mut seen = [0; 1024];
    loop {
        let length = near.peek(&mut seen)?;
        if let Some(end) = seen[..length].iter().position(|byte| *byte == b'\r') {
            return Ok(String::from_utf8_lossy(&seen[..end]).into_owned());
        }
        if length == 0 || length == seen.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The request's lines up to the empty one, and what was already read of its body.
fn head(near: &mut TcpStream) -> io::Result<(Vec<String>, Vec<u8>)> {
    let mut read = vec![];
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&read[..end]).into_owned();
            return Ok((text.split("\r\n").map(str::to_owned).collect(), read[end + 4..].to_vec()));
        }
        let mut more = [0; 4096];
        match near.read(&mut more)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            some => read.extend_from_slice(&more[..some]),
        }
    }
}
