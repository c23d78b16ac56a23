//! Lines that cross their threshold while usage comes, and how long it takes from the event on
//! until their charge is submitted, and until the data is there and the customer told.

use super::{
    load::{Asked, request, send},
    world,
};
use laika_core::time::Instant;
use laika_server::{clock::Clock, sql};
use serde_json::Value;
use sqlx::Row;
use std::{
    collections::HashMap,
    error::Error,
    path::Path,
    time::{Duration, Instant as Stopwatch},
};
use tokio::{
    io::BufReader,
    net::TcpStream,
    time::{sleep, sleep_until},
};

/// How long what was caused is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Lets lines cross their threshold, one after the other, spread over the time. Gives each line's
/// ICCID with the instant at which the event was sent.
pub(crate) async fn crossings(
    address: &str,
    asked: &Asked,
    until: Stopwatch,
) -> Result<HashMap<String, Instant>, Box<dyn Error>> {
    let mut crossed = HashMap::new();
    if asked.crossings == 0 {
        return Ok(crossed);
    }
    let (clock, begun) = (Clock::system(), Stopwatch::now());
    let each = until.duration_since(begun).div_f64(asked.crossings as f64 + 1.0);
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.get_ref().set_nodelay(true)?;
    for number in 0..asked.crossings.min(world::HOT) {
        sleep_until((begun + each * (number as u32 + 1)).into()).await;
        let (iccid, sent_at) = (world::iccid(world::LINES + number), clock.wall());
        let bytes = world::HOT_HAS - 500_000_000;
        let event = world::event(&format!("hot{number}"), &iccid, sent_at, bytes);
        let answer = send(&mut stream, &request(address, &format!("[{event}]"))).await?;
        match answer.status {
            200 => drop(crossed.insert(iccid, sent_at)),
            503 => {}
            _ => return Err(format!("{}: {}", answer.status, answer.body).into()),
        }
    }
    Ok(crossed)
}

/// How long after its event each line's charge was submitted, and, where a provider answers, how
/// long until it was credited and the message about it had gone, once all are.
pub(crate) async fn followed(
    folder: &Path,
    crossed: &HashMap<String, Instant>,
    told: bool,
) -> Result<(Vec<Duration>, Vec<Duration>), Box<dyn Error>> {
    let app = world::open(folder, "http").await?;
    let patience = Stopwatch::now() + PATIENCE;
    loop {
        let mut conn = app.store.read().await?;
        let rows = sql!(
            "SELECT l.iccid, x.body, x.status,
                    (SELECT MAX(m.sent_at) FROM messages AS m
                     WHERE m.account_id = x.account_id AND m.key LIKE x.id || '-%-recharged-%')
             FROM recharges AS x
             JOIN lines AS l ON l.account_id = x.account_id AND l.id = x.line_id"
        )
        .fetch_all(&mut *conn)
        .await?;
        drop(conn);
        let (mut charged, mut done) = (Vec::new(), Vec::new());
        for row in &rows {
            let (iccid, body): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let Some(sent_at) = crossed.get(&iccid) else { continue };
            let body: Value = serde_json::from_str(&body)?;
            let submitted = body["attempts"][0]["submitted_at"].as_str().and_then(Instant::parse);
            charged.extend(submitted.map(|at| world::between(*sent_at, at)));
            let (status, told): (String, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
            let told = told.map(Instant::from_micros).filter(|_| status == "done");
            done.extend(told.map(|at| world::between(*sent_at, at)));
        }
        if charged.len() == crossed.len() && (!told || done.len() == crossed.len()) {
            app.store.close().await;
            return Ok((charged, done));
        }
        if Stopwatch::now() > patience {
            let (charged, done, of) = (charged.len(), done.len(), crossed.len());
            return Err(format!("of {of}, {charged} were charged and {done} told").into());
        }
        sleep(Duration::from_millis(100)).await;
    }
}
