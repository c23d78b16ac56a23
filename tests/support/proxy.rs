//! Stands between the server and the sandbox, as a network does, and can be a bad one: it keeps the
//! answer to a charge back, or takes the idempotency key out of the request.
//!
//! One connection carries one request, so a lost answer stays a lost answer. It invents nothing.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// A charge, at the sandbox provider.
const CHARGE: &str = "POST /provider/v1/payments ";
/// Everything that the provider takes a key for.
const KEYED: &str = "POST /provider/";
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
    let (head, body) = request(&mut near)?;
    let asked = head.first().map(String::as_str).unwrap_or_default();
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
    near.write_all(&answer)
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
