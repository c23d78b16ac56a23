//! The sandbox's durable file: one JSON line per request taken, with its instant.
//!
//! Place in the flow: `take` appends and syncs a request, then hands it to the state machines, then
//! answers. As the machines are deterministic, the journal *is* the state: opening a file replays
//! it. A torn last line (power lost in mid-write) was never answered and is cut off; anything else
//! that does not parse stops the start. It never holds a card number, and one process at a time
//! owns a file.

use super::seal::Seal;
use super::{Answer, Reply, Request, State};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    laika_sandbox: u32,
    seed: String,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
struct Line<R> {
    now: i64,
    request: R,
}

/// The open file and the state it stands for.
pub struct Journal {
    /// Nothing where all of it is to be forgotten with the process.
    file: Option<File>,
    /// Both machines.
    pub state: State,
}

impl Drop for Journal {
    /// Lets go of the file at once.
    fn drop(&mut self) {
        // Why: closing is not enough while a program that this process has just started still
        // holds a copy of the open file.
        let _ = self.file.as_ref().map(File::unlock);
    }
}

impl Journal {
    /// Opens or creates the file and replays it. `seed` is used for a new file only.
    pub fn open(path: &Path, seed: &str) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if file.try_lock().is_err() {
            let message = format!("{} is in use by another sandbox", path.display());
            return Err(io::Error::new(ErrorKind::WouldBlock, message));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // Whole lines only: what follows the last line feed was never answered.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole == 0 {
            return Self::create(file, path, seed);
        }
        let mut lines = bytes[..whole].split(|byte| *byte == b'\n').enumerate();
        let seal = lines.next().and_then(|(_, line)| head(line));
        let seal = seal.ok_or_else(|| corrupt(path, 1, "not a sandbox journal"))?;
        let mut state = State::new(seal);
        for (at, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let line: Line<Request> = serde_json::from_slice(line)
                .map_err(|error| corrupt(path, at + 1, &error.to_string()))?;
            state.handle(line.request, line.now);
        }
        if whole < bytes.len() {
            file.set_len(whole as u64)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file: Some(file), state })
    }

    /// A journal without a file: both machines as a seed makes them, for a sandbox in this process.
    pub fn in_memory(seed: &str) -> io::Result<Self> {
        Ok(Self { file: None, state: State::new(seal(seed)?) })
    }

    /// Whether what is taken is kept nowhere, so that nothing waits for a disk.
    pub fn is_in_memory(&self) -> bool {
        self.file.is_none()
    }

    fn create(mut file: File, path: &Path, seed: &str) -> io::Result<Self> {
        let seal = seal(seed)?;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        append(&mut file, &Head { laika_sandbox: 1, seed: seed.to_owned() })?;
        // The new name itself must survive a power cut, too.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(Self { file: Some(file), state: State::new(seal) })
    }

    /// Writes the request down, syncs, and only then acts and answers.
    pub fn take(&mut self, request: Request, now: i64) -> io::Result<Reply<Answer>> {
        // Why: a statement may have moved the time; replayed, the request happens when it did.
        let now = now.max(self.state.now);
        if let Some(file) = &mut self.file {
            append(file, &Line { now, request: &request })?;
        }
        Ok(self.state.handle(request, now))
    }
}

fn seal(seed: &str) -> io::Result<Seal> {
    Seal::from_seed(seed).ok_or_else(|| io::Error::other("a seed is 64 hexadecimal digits"))
}

fn append(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_data()
}

fn head(line: &[u8]) -> Option<Seal> {
    let head: Head = serde_json::from_slice(line).ok()?;
    Seal::from_seed(&head.seed).filter(|_| head.laika_sandbox == 1)
}

fn corrupt(path: &Path, line: usize, why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{}:{line}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier::contract::Give;
    use crate::sandbox::carrier::Request as ToCarrier;
    use std::path::PathBuf;

    const ICCID: &str = "8988247007000000105";

    /// A file of its own, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("laika-journal-{}-{name}.jsonl", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn open(&self) -> io::Result<Journal> {
            Journal::open(&self.0, &"3".repeat(64))
        }

        fn bytes(&self) -> Vec<u8> {
            std::fs::read(&self.0).expect("the journal")
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn top_up(key: &str) -> Request {
        let give = Give {
            iccid: ICCID.to_owned(),
            data_bytes: 5,
            validity_days: None,
            credit_minor: 0,
            currency: "EUR".to_owned(),
            metadata: Default::default(),
        };
        Request::Carrier(ToCarrier::TopUp { key: key.to_owned(), give })
    }

    #[test]
    fn replay_gives_the_same_answers_and_ids() {
        let scratch = Scratch::new("replay");
        let mut journal = scratch.open().expect("a new journal");
        let first = journal.take(top_up("a"), 10).expect("written");
        journal.take(top_up("b"), 20).expect("written");
        drop(journal);
        let mut journal = scratch.open().expect("replayed");
        assert_eq!(journal.state.carrier.balance(ICCID).data_bytes, 10);
        assert_eq!(journal.take(top_up("a"), 30).expect("written"), first);
        assert_eq!(journal.state.now, 30);
    }

    #[test]
    fn a_torn_tail_is_cut_at_every_byte_and_the_rest_survives() {
        let scratch = Scratch::new("torn");
        let mut journal = scratch.open().expect("a new journal");
        journal.take(top_up("a"), 10).expect("written");
        let kept = scratch.bytes().len();
        journal.take(top_up("b"), 20).expect("written");
        drop(journal);
        let all = scratch.bytes();
        for cut in kept..all.len() {
            std::fs::write(&scratch.0, &all[..cut]).expect("torn");
            let journal = scratch.open().expect("a torn tail is no error");
            assert_eq!(journal.state.carrier.balance(ICCID).data_bytes, 5, "cut at {cut}");
            drop(journal);
            assert_eq!(scratch.bytes().len(), kept, "cut at {cut}");
        }
        // Torn before the first line was whole: nothing was ever answered, so it starts afresh.
        std::fs::write(&scratch.0, &all[..9]).expect("torn");
        assert_eq!(scratch.open().expect("a new journal").state.now, 0);
    }

    #[test]
    fn a_broken_line_in_the_middle_stops_the_start() {
        let scratch = Scratch::new("broken");
        let mut journal = scratch.open().expect("a new journal");
        journal.take(top_up("a"), 10).expect("written");
        drop(journal);
        let mut bytes = scratch.bytes();
        bytes.extend_from_slice(b"{\"now\":1,\"request\":nonsense}\n");
        std::fs::write(&scratch.0, &bytes).expect("broken");
        let error = scratch.open().err().expect("refused").to_string();
        assert!(error.contains(":3:"), "{error}");
    }

    #[test]
    fn one_process_owns_a_file() {
        let scratch = Scratch::new("lock");
        let _held = scratch.open().expect("a new journal");
        assert_eq!(scratch.open().err().map(|e| e.kind()), Some(ErrorKind::WouldBlock));
    }
}
