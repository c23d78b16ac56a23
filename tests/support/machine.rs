//! A machine that goes wrong under one process: its disk has no room, its syncs or its reads fail,
//! its clock is wrong. `machine.c` is preloaded into that process and asks the file that this
//! writes; nothing of Laika is changed for it. Linux only.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::folder::Folder;

/// The numbers of `machine.c`, in its order.
const FULL: u64 = 0;
const SYNC_FAILS: u64 = 1;
const READ_FAILS: u64 = 2;
const CLOCK_S: u64 = 3;
const FAILED: u64 = 4;
const SYNC_WAITS: u64 = 5;
const WAITING: u64 = 6;
const NUMBERS: usize = 7;

/// What is wrong at the moment. At first nothing is.
#[derive(Debug)]
pub struct Machine {
    folder: Folder,
    numbers: File,
}

impl Machine {
    /// One on which everything works.
    pub fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let path = folder.file("machine");
        std::fs::write(&path, [0; NUMBERS * 8]).expect("a file in a temporary folder");
        // Why: a database server may be another user's process.
        let all = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(&path, all).expect("a file of ours");
        let numbers = File::options().read(true).write(true).open(&path).expect("it is there");
        Self { folder, numbers }
    }

    /// The environment of a process on it. The files whose path begins with `disk` are on its disk.
    pub fn env(&self, disk: &Path) -> Vec<(&'static str, String)> {
        let text = |path: &Path| path.display().to_string();
        vec![
            ("LD_PRELOAD", text(preloaded())),
            ("LAIKA_MACHINE", text(&self.folder.file("machine"))),
            ("LAIKA_MACHINE_DISK", text(disk)),
        ]
    }

    /// From now on its disk has no room for more, or has again.
    pub fn disk_is_full(&self, full: bool) {
        self.set(FULL, i64::from(full));
    }

    /// From now on nothing is known to reach its disk, or is again.
    pub fn syncs_fail(&self, fail: bool) {
        self.set(SYNC_FAILS, i64::from(fail));
    }

    /// From now on its disk cannot be read, or can again.
    pub fn reads_fail(&self, fail: bool) {
        self.set(READ_FAILS, i64::from(fail));
    }

    /// From now on its clock is so many seconds ahead.
    pub fn clock_is_ahead(&self, seconds: i64) {
        self.set(CLOCK_S, seconds);
    }

    /// How many calls its disk has failed so far.
    pub fn failed(&self) -> i64 {
        self.get(FAILED)
    }

    /// From now on a sync waits, or those that do go on.
    pub fn syncs_wait(&self, wait: bool) {
        self.set(SYNC_WAITS, i64::from(wait));
    }

    /// How many syncs had to wait so far.
    pub fn waiting(&self) -> i64 {
        self.get(WAITING)
    }

    fn get(&self, number: u64) -> i64 {
        let mut bytes = [0; 8];
        self.numbers.read_exact_at(&mut bytes, number * 8).expect("a number");
        i64::from_ne_bytes(bytes)
    }

    fn set(&self, number: u64, to: i64) {
        self.numbers.write_all_at(&to.to_ne_bytes(), number * 8).expect("a number");
    }
}

/// `machine.c`, compiled once for all tests of a run.
fn preloaded() -> &'static Path {
    static BUILT: OnceLock<(Folder, PathBuf)> = OnceLock::new();
    let (_, library) = BUILT.get_or_init(|| {
        let folder = Folder::new("machine");
        let source = folder.write("machine.c", include_str!("machine.c"));
        let library = folder.file("machine.so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl");
        assert!(cc.status().is_ok_and(|status| status.success()), "a C compiler, as for SQLite");
        (folder, library)
    });
    library
}
