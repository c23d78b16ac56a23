//! A small HTTP/1.1 client: one connection for each request, so that a killed server is one failed
//! request and nothing else.
//!
//! It keeps no cookies and follows no redirects; a test says what it sends and sees what comes.
//! What comes from the API is held against its document.

use std::io::{self, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use serde_json::Value;

use super::contract;

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Header names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body, as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; what is not JSON is null.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Itself, if the status is the one that the test rests on.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// One request on its way to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    head: String,
    authority: String,
    body: Vec<u8>,
    patience: Duration,
}

impl Request {
    /// `url` is `http://host:port/path`.
    pub fn new(method: &str, url: &str) -> Self {
        let rest = url.strip_prefix("http://").expect("an http:// address");
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let head =
            format!("{method} /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
        let patience = Duration::from_secs(30);
        Self { head, authority: authority.to_owned(), body: vec![], patience }
    }

    /// Waits for so long for each part of the answer, rather than for 30 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// One more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// A JSON body.
    pub fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string().into_bytes())
    }

    /// What a form on a page sends.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let escaped = |text: &str| -> String {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric();
            let one = |byte: u8| match plain(&byte) {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            };
            text.bytes().map(one).collect()
        };
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
            .collect();
        self.body("application/x-www-form-urlencoded", pairs.join("&").into_bytes())
    }

    /// A body of any kind.
    pub fn body(mut self, kind: &str, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("Content-Type", kind)
    }

    /// Sends it. *Errors*: no connection, or a connection that ended before a whole answer came.
    pub fn send(&self) -> io::Result<Answer> {
        let address = self.authority.to_socket_addrs()?.find(std::net::SocketAddr::is_ipv4);
        let address = address.ok_or_else(|| io::Error::other("no IPv4 address"))?;
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_nodelay(true)?;
        let head = format!("{}Content-Length: {}\r\n\r\n", self.head, self.body.len());
        stream.write_all(&[head.as_bytes(), &self.body].concat())?;
        let bare = self.head.starts_with("HEAD ");
        let answer = if bare { read_head(&mut stream)? } else { read(&mut stream)? };
        let mut words = self.head.split(' ');
        let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        if let Err(fault) = contract::check(method, path, &answer) {
            panic!("not as documented: {fault}");
        }
        Ok(answer)
    }
}

/// The one answer of a connection that is closed after it.
pub fn read(stream: &mut impl io::Read) -> io::Result<Answer> {
    let mut answer = read_head(stream)?;
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = unchunked(&answer.body).ok_or_else(cut)?;
    } else if let Some(length) = answer.header("content-length") {
        let length: usize = length.parse().map_err(|_| cut())?;
        if answer.body.len() < length {
            return Err(cut());
        }
    }
    Ok(answer)
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the answer was cut short")
}

/// The same of an answer to HEAD, whose length is that of a body that does not come.
fn read_head(stream: &mut impl io::Read) -> io::Result<Answer> {
    let mut all = vec![];
    stream.read_to_end(&mut all)?;
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(cut)?;
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Answer { status: status.ok_or_else(cut)?, headers, body: all[end + 4..].to_vec() })
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = vec![];
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size =
            usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 2 + size + 2..)?;
    }
}
