//! What `deploy/` has is accepted by the programs that will read it.

use std::path::Path;
use std::process::Command;

use laika_tests::support::folder::Folder;
use laika_tests::support::laika::program;

const UNIT: &str = include_str!("../deploy/laika.service");

/// Whether systemd's own checker is on this machine.
fn has_systemd() -> bool {
    Command::new("systemd-analyze").arg("--version").output().is_ok_and(|it| it.status.success())
}

/// What the checker says of a unit; nothing when it finds nothing.
fn verify(folder: &Folder, unit: &str) -> String {
    let path = folder.write("laika.service", unit);
    let mut command = Command::new("systemd-analyze");
    let output = command.args(["verify", "--man=no", "--recursive-errors=no"]).arg(path).output();
    let output = output.expect("systemd-analyze runs");
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        said.push_str("it failed");
    }
    said
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    if !has_systemd() {
        eprintln!("systemd-analyze is not on this machine: the unit was only read, not verified");
        return;
    }
    let folder = Folder::new("unit");
    // Why: the checker wants the program to be there, and it is installed nowhere on this machine.
    let own = program();
    assert!(Path::new(&own).is_file(), "{}", own.display());
    let unit = UNIT.replace("/usr/local/bin/laika", &own.display().to_string());
    assert_eq!(verify(&folder, &unit), "");
    let broken = unit.replace("ProtectSystem=strict", "ProtectSystm=strict");
    assert_ne!(verify(&folder, &broken), "", "the checker reads what it is given");
}

#[test]
fn the_unit_keeps_what_it_does_not_need_from_the_program() {
    for line in [
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "CapabilityBoundingSet=",
        "MemoryDenyWriteExecute=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
        "UMask=0077",
    ] {
        assert!(UNIT.lines().any(|it| it == line), "{line} is not in the unit");
    }
    let secrets = UNIT.lines().filter(|line| line.contains("SECRET") || line.contains("KEY"));
    assert!(secrets.clone().count() > 0);
    for line in secrets {
        assert!(line.contains("_FILE=%d/"), "a secret stands in the unit: {line}");
    }
}
