//! Where the sandbox provider's webhooks go in place of the server: they are taken with thanks and
//! lost, unless a test sends them on, as often and as late as it likes.

use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::http::{Answer, Request};
use super::{proxy, usage};

/// What the sandbox provider signs with. Public on purpose: it guards no money.
pub const SECRET: &str = "sandbox-webhook-secret-no-real-money";

/// A receiver of webhooks. It lives as long as the test's process.
#[derive(Debug)]
pub struct Hooks {
    /// What the server says its own address is.
    pub origin: String,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Hooks {
    /// One that has taken none yet.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let origin = format!("http://{}", listener.local_addr()?);
        let taken = Arc::new(Mutex::new(Vec::new()));
        let kept = taken.clone();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                // One that breaks is sent again by the provider.
                if let Ok(event) = take(&mut stream) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                }
            }
        });
        Ok(Self { origin, taken })
    }

    /// The bodies so far, in the order they came.
    pub fn taken(&self) -> Vec<Value> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn take(stream: &mut TcpStream) -> io::Result<Value> {
    let (_, body) = proxy::request(stream)?;
    stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")?;
    Ok(serde_json::from_slice(&body)?)
}

/// Sends a webhook to a server as the provider would, signed with a secret at a Unix second.
pub fn send(origin: &str, body: &[u8], secret: &str, at: u64) -> io::Result<Answer> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key length");
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    Request::new("POST", &format!("{origin}/api/v1/webhooks/sandbox"))
        .header("Laika-Signature", &format!("t={at},v1={hex}"))
        .body("application/json", body.to_vec())
        .send()
}

/// Sends one on as it was, now.
pub fn send_on(origin: &str, event: &Value) -> io::Result<Answer> {
    send(origin, event.to_string().as_bytes(), SECRET, usage::now())
}
