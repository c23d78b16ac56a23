//! Usage over HTTP against a server of its own process: many connections that each send the next
//! request when the last is answered, or at a pace; and lines that cross their threshold meanwhile.

use super::{
    Answer,
    crossing::{crossings, followed},
    provider,
    world::{self, LINES},
};
use laika_core::time::Instant;
use laika_server::{clock::Clock, secret::hmac_hex};
use serde_json::Value;
use std::{
    error::Error,
    io::BufRead,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant as Stopwatch},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, sleep_until},
};

/// Where no pace is asked for, a connection that was refused waits for so long: a whole machine of
/// refusals measures only itself.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// Sent before anything is measured: a server that has just started reads each line once, and knows
/// it from then on.
const WARM: Duration = Duration::from_secs(1);

/// What is asked of the server.
pub(crate) struct Asked {
    pub(crate) connections: usize,
    /// In each request.
    pub(crate) rows: usize,
    pub(crate) seconds: usize,
    /// Over all connections; as many as there is room for when 0.
    pub(crate) requests_a_second: usize,
    /// Lines that cross their threshold, spread over the time.
    pub(crate) crossings: usize,
    /// How long the gateway takes to answer.
    pub(crate) gateway: Duration,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    answered: Vec<Duration>,
    refused: usize,
    /// Numbers of the requests that were acknowledged.
    acknowledged: Vec<usize>,
}

/// Sends for the time asked. Says the rates of acknowledged and of offered rows, the latencies, the
/// refusals, and, where lines crossed, how long it took until their charge was submitted and their
/// owners told.
///
/// What each line has at the end is compared with what was acknowledged: one row more or less, and
/// there is no answer.
pub(crate) async fn http(folder: &Path, laika: &Path, asked: &Asked) -> Answer {
    world::copy(folder, "http")?;
    let provider = provider::start(folder, laika, asked.gateway).await?;
    let (mut server, address) = serve(folder, laika, "http", &provider.listen)?;
    let next = Arc::new(AtomicUsize::new(0));
    let started = Stopwatch::now();
    let measured = started + WARM;
    let until = measured + Duration::from_secs(asked.seconds as u64);
    let mut all = JoinSet::new();
    for _ in 0..asked.connections {
        let (address, next) = (address.clone(), Arc::clone(&next));
        let (rows, pace) = (asked.rows, asked.requests_a_second);
        all.spawn(async move {
            let times = (started, measured, until);
            let sent = connection(&address, &next, rows, pace, times).await;
            sent.map_err(|error| error.to_string())
        });
    }
    sleep_until(measured.into()).await;
    let crossed = crossings(&address, asked, until).await?;
    let (mut answered, mut refused, mut acknowledged) = (vec![], 0, vec![]);
    while let Some(seen) = all.join_next().await {
        let seen = seen??;
        answered.extend(seen.answered);
        refused += seen.refused;
        acknowledged.extend(seen.acknowledged);
    }
    let took = measured.elapsed();
    let (mut charged, mut told) = followed(folder, &crossed, asked.crossings > 0).await?;
    let resident = resident(&server);
    stop(&mut server)?;
    let app = world::open(folder, "http").await?;
    let rows = asked.rows;
    let mut of = vec![0_usize; LINES];
    for request in &acknowledged {
        (request * rows..(request + 1) * rows).for_each(|row| of[world::dealt(row, LINES)] += 1);
    }
    world::check(&app, LINES, |line| of[line]).await?;
    app.store.close().await;
    let a_second = |requests: usize| requests as f64 * rows as f64 / took.as_secs_f64();
    let (rate, offered) = (a_second(answered.len()), a_second(answered.len() + refused));
    let said = format!(
        "rate={rate:.0} offered={offered:.0} p50_ms={:.2} p99_ms={:.2} refused={refused} \
         resident_mb={resident} charged={} charge_p50_ms={:.2} charge_p99_ms={:.2} \
         told_p50_ms={:.2} told_p99_ms={:.2}",
        at(&mut answered, 0.5),
        at(&mut answered, 0.99),
        charged.len(),
        at(&mut charged, 0.5),
        at(&mut charged, 0.99),
        at(&mut told, 0.5),
        at(&mut told, 0.99),
    );
    Ok((took, said))
}

/// The time below which this part of them lies, in milliseconds.
fn at(times: &mut [Duration], part: f64) -> f64 {
    times.sort();
    let at = (times.len() as f64 * part) as usize;
    times.get(at.min(times.len().saturating_sub(1))).map_or(f64::NAN, |it| it.as_secs_f64() * 1e3)
}

/// Starts the server on a database of the folder, with the sandbox at this address; gives where it
/// listens.
pub(crate) fn serve(
    folder: &Path,
    laika: &Path,
    name: &str,
    sandbox: &str,
) -> Result<(Server, String), Box<dyn Error>> {
    let mut child = Command::new(laika)
        .arg("serve")
        .current_dir(folder)
        .env("DATABASE_URL", world::address(folder, name))
        .env("LAIKA_LISTEN", "localhost:0")
        .env("LAIKA_SANDBOX_LISTEN", sandbox)
        .env("LAIKA_USAGE_SECRET", world::SECRET)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    let stdout = child.stdout.take().ok_or("no pipe")?;
    std::io::BufReader::new(stdout).read_line(&mut line)?;
    let port = line.trim().rsplit_once(':').ok_or("no address")?.1.to_owned();
    Ok((Server(child), format!("127.0.0.1:{port}")))
}

/// A server that does not outlive its bench.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks the server to end, and waits until it has.
fn stop(server: &mut Server) -> Result<(), Box<dyn Error>> {
    Command::new("kill").arg(server.0.id().to_string()).status()?;
    server.0.wait()?;
    Ok(())
}

/// Megabytes that a process holds.
pub(crate) fn resident(server: &Server) -> u64 {
    let id = server.0.id();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}

/// One connection: requests one after the other from the start until the time is over; what is sent
/// from the middle instant on is measured.
async fn connection(
    address: &str,
    next: &AtomicUsize,
    rows: usize,
    pace: usize,
    (started, measured, until): (Stopwatch, Stopwatch, Stopwatch),
) -> Result<Seen, Box<dyn Error>> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.get_ref().set_nodelay(true)?;
    let (mut seen, begins) = (Seen::default(), Instant::from_seconds(1_790_000_000));
    while Stopwatch::now() < until {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let mut due = Stopwatch::now();
        if pace > 0 {
            due = started + Duration::from_secs_f64(number as f64 / pace as f64);
            sleep_until(due.into()).await;
        }
        let one = |row: usize| {
            let after = laika_core::time::Span(i64::try_from(row).unwrap_or(0) * 1000);
            let line = world::iccid(world::dealt(row, LINES));
            world::event(&format!("e{row:012}"), &line, begins.plus(after), 1000)
        };
        let events: Vec<String> = (number * rows..(number + 1) * rows).map(one).collect();
        let body = format!("[{}]", events.join(","));
        let request = request(address, &body);
        if pace == 0 {
            due = Stopwatch::now();
        }
        let answer = send(&mut stream, &request).await.map_err(|error| error.to_string())?;
        match answer.status {
            200 if answer.body["accepted"].as_u64() == Some(rows as u64) => {
                if due >= measured {
                    seen.answered.push(due.elapsed());
                }
                seen.acknowledged.push(number);
            }
            429 | 503 if answer.retry_after => {
                // What was refused must not have counted: it is left at that.
                seen.refused += usize::from(due >= measured);
                if pace == 0 {
                    sleep(AFTER_REFUSAL).await;
                }
            }
            status => return Err(format!("{status}: {}", answer.body).into()),
        }
    }
    Ok(seen)
}

/// A signed request with a batch.
pub(crate) fn request(address: &str, body: &str) -> Vec<u8> {
    let at = Clock::system().wall().seconds();
    let signature = hmac_hex(world::SECRET, format!("{at}.{body}").as_bytes());
    format!(
        "POST /api/v1/usage HTTP/1.1\r\nhost: {address}\r\n\
         content-type: application/cloudevents-batch+json\r\n\
         laika-signature: t={at},v1={signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What the server answered.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// It says when to come again.
    retry_after: bool,
}

/// Sends one request and reads its answer.
pub(crate) async fn send(
    stream: &mut BufReader<TcpStream>,
    request: &[u8],
) -> Result<Answered, Box<dyn Error>> {
    stream.get_mut().write_all(request).await?;
    let (mut line, mut status, mut length, mut retry_after) = (String::new(), 0, 0, false);
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err("the server has gone away".into());
        }
        let text = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = text.strip_prefix("http/1.1 ") {
            status = rest.get(..3).unwrap_or_default().parse()?;
        } else if let Some(rest) = text.strip_prefix("content-length:") {
            length = rest.trim().parse()?;
        } else if text.starts_with("retry-after:") {
            retry_after = true;
        } else if text.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Answered { status, body: serde_json::from_slice(&body)?, retry_after })
}
