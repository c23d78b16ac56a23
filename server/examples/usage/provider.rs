//! The payment provider and carrier of the bench: the sandbox as its own process, which knows the
//! cards of the lines that cross their threshold, behind a way that keeps each answer back as long
//! as a gateway takes.

use laika_server::sandbox::{
    Answer, Request,
    cards::{Behaviour, Card},
    journal::Journal,
    provider::{Answer as Provided, Request as ToProvider},
};
use std::{
    error::Error,
    io::BufRead,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// What the provider knows of a card: its customer and its token.
pub(crate) type Known = (String, String);

/// Where a sandbox keeps what it knows.
fn file(folder: &Path, name: &str) -> std::path::PathBuf {
    folder.join(format!("{name}-sandbox.jsonl"))
}

/// Makes the file that every round starts from, with so many customers and a card each. Lines of a
/// database that is in no folder are never charged.
pub(crate) fn make(folder: &Path, count: usize) -> Result<Vec<Known>, Box<dyn Error>> {
    if !folder.is_dir() {
        let nobody = |number| (format!("cus_hot_{number}"), format!("tok_hot_{number}"));
        return Ok((0..count).map(nobody).collect());
    }
    let path = file(folder, "made");
    let _ = std::fs::remove_file(&path);
    let mut journal = Journal::open(&path, &"7".repeat(64))?;
    let mut take = |request| -> Result<Provided, Box<dyn Error>> {
        match journal.take(Request::Provider(request), 0)?.answer {
            Ok(Answer::Provider(answer)) => Ok(answer),
            other => Err(format!("the provider answers {other:?}").into()),
        }
    };
    let mut known = Vec::with_capacity(count);
    for number in 0..count {
        let metadata = Default::default();
        let Provided::Customer(customer) = take(ToProvider::CreateCustomer { metadata })? else {
            return Err("no customer".into());
        };
        let (of, return_url) = (customer.id.clone(), "http://localhost:8080/".to_owned());
        let Provided::Setup(setup) = take(ToProvider::CreateSetup { customer: of, return_url })?
        else {
            return Err("no setup".into());
        };
        let card = Card {
            brand: "visa".into(),
            funding: "credit".into(),
            last4: "4242".into(),
            exp_month: 12,
            exp_year: 2034,
            fingerprint: format!("fp_hot_{number}"),
            behaviour: Behaviour::Works,
        };
        let Provided::Setup(setup) = take(ToProvider::EnterCard { setup: setup.id, card })? else {
            return Err("no card".into());
        };
        known.push((customer.id, setup.payment_method.ok_or("no token")?));
    }
    Ok(known)
}

/// A running provider, and the way to it. Both end with it.
pub(crate) struct Provider {
    /// Where the server finds it.
    pub(crate) listen: String,
    child: Child,
    way: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.way.abort();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a provider with what was made, each answer of which takes so long.
pub(crate) async fn start(
    folder: &Path,
    laika: &Path,
    takes: Duration,
) -> Result<Provider, Box<dyn Error>> {
    let path = file(folder, "round");
    std::fs::copy(file(folder, "made"), &path)?;
    let mut child = Command::new(laika)
        .args(["sandbox", "--file"])
        .arg(&path)
        .current_dir(folder)
        .env("LAIKA_SANDBOX_LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    let stdout = child.stdout.take().ok_or("no pipe")?;
    std::io::BufReader::new(stdout).read_line(&mut line)?;
    let target = line.trim().rsplit_once("//").ok_or("no address")?.1.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let listen = listener.local_addr()?.to_string();
    let way = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let target = target.clone();
            // A connection that breaks is what the server sees of it; nobody else asks.
            tokio::spawn(async move { drop(pass(stream, &target, takes).await) });
        }
    });
    Ok(Provider { listen, child, way })
}

/// Passes requests on at once, and what comes back when it is due.
async fn pass(stream: TcpStream, target: &str, takes: Duration) -> std::io::Result<()> {
    let there = TcpStream::connect(target).await?;
    there.set_nodelay(true)?;
    stream.set_nodelay(true)?;
    let ((mut from, to), (back, mut on)) = (stream.into_split(), there.into_split());
    let returns = tokio::spawn(answers(back, to, takes));
    tokio::io::copy(&mut from, &mut on).await?;
    on.shutdown().await?;
    returns.await.map_err(std::io::Error::other)?
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    takes: Duration,
) -> std::io::Result<()> {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = tokio::spawn(async move {
        let mut piece = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            let due = Instant::now() + takes;
            if sender.send((due, piece.iter().take(length).copied().collect())).is_err() {
                break;
            }
        }
    });
    while let Some((due, piece)) = receiver.recv().await {
        sleep_until(due).await;
        to.write_all(&piece).await?;
    }
    read.await.map_err(std::io::Error::other)?;
    to.shutdown().await
}
