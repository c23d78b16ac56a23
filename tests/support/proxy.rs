//! Stands between the server and the sandbox provider, and takes one header out of every request.
//!
//! The kill test uses it to prove itself: without the idempotency key, money must go wrong, and
//! the test must see it. One connection carries one request, so a lost answer stays a lost answer.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A listening proxy. It lives as long as the test's process.
#[derive(Debug)]
pub struct Proxy {
    /// `127.0.0.1:port`.
    pub listen: String,
}

impl Proxy {
    /// In front of `target` (`host:port`), without the header `dropped` on paths that begin so.
    pub fn without_header(target: &str, paths: &str, dropped: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let listen = listener.local_addr()?.to_string();
        let rule = Rule {
            target: target.to_owned(),
            paths: paths.to_owned(),
            dropped: dropped.to_ascii_lowercase(),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let rule = rule.clone();
                // A connection that breaks is what the server sees of it; nobody else asks.
                thread::spawn(move || drop(pass(stream, &rule)));
            }
        });
        Ok(Self { listen })
    }
}

#[derive(Clone)]
struct Rule {
    target: String,
    paths: String,
    dropped: String,
}

/// One request there, its answer back, then the end of the connection.
fn pass(mut near: TcpStream, rule: &Rule) -> io::Result<()> {
    let (head, mut body) = head(&mut near)?;
    let named = |line: &str| line.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let length = head
        .iter()
        .find(|line| named(line) == "content-length")
        .and_then(|line| line.split_once(':')?.1.trim().parse::<usize>().ok());
    while body.len() < length.unwrap_or(0) {
        let mut more = [0; 4096];
        match near.read(&mut more)? {
            0 => return Ok(()),
            read => body.extend_from_slice(&more[..read]),
        }
    }
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let dropped = if path.starts_with(&rule.paths) { rule.dropped.as_str() } else { "" };
    let kept = head.iter().filter(|line| !["connection", dropped].contains(&&*named(line)));
    let lines: Vec<&str> = kept.map(String::as_str).chain(["Connection: close", "", ""]).collect();
    let mut far = TcpStream::connect(&rule.target)?;
    far.write_all(&[lines.join("\r\n").as_bytes(), &body].concat())?;
    io::copy(&mut far, &mut near)?;
    Ok(())
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
