//! What `deploy/` has is accepted by the programs that will read it, and the alerts that the
//! operator's page gives speak of what there is, also when nothing is there to speak.

use std::path::Path;
use std::process::Command;

use laika_tests::support::folder::Folder;
use laika_tests::support::laika::program;

const OPERATE: &str = include_str!("../docs/operate.md");
const LIVE: &str = include_str!("../deploy/live.conf");
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
    std::fs::create_dir(folder.file("laika.service.d")).expect("a folder for what is dropped in");
    folder.write("laika.service.d/live.conf", LIVE);
    assert_eq!(verify(&folder, &unit), "", "with what is dropped in");
    folder.write("laika.service.d/live.conf", &LIVE.replace("LoadCredential", "LoadCredentail"));
    assert_ne!(verify(&folder, &unit), "", "the checker reads that too");
    folder.write("laika.service.d/live.conf", "");
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
}

/// The service cannot read root's files, and a unit is no place for a secret.
#[test]
fn every_secret_is_a_copy_that_systemd_hands_over() {
    let lines = || UNIT.lines().chain(LIVE.lines());
    let secrets = lines().filter_map(|line| line.strip_prefix("Environment="));
    let secrets: Vec<_> =
        secrets.filter(|it| it.contains("SECRET") || it.contains("KEY")).collect();
    for name in [
        "LAIKA_USAGE_SECRET",
        "LAIKA_SIGNING_KEY",
        "LAIKA_CARRIER_SECRET",
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
    ] {
        assert!(secrets.iter().any(|it| it.starts_with(&format!("{name}_FILE="))), "{name}");
    }
    for secret in secrets {
        let (_, file) = secret.split_once("_FILE=%d/").expect("a file that systemd hands over");
        let credential = format!("LoadCredential={file}:/etc/laika/{file}");
        assert!(lines().any(|line| line == credential), "{credential} is not there");
        let made = format!("install -m 0600 /dev/stdin /etc/laika/{file}\n");
        assert!(OPERATE.contains(&made), "the page makes no {file}");
    }
}

/// An outage of any length ends with a server that runs, under the name it had before.
#[test]
fn the_unit_never_gives_up_and_keeps_its_name() {
    let has = |line: &str| UNIT.lines().any(|it| it == line);
    for line in ["StartLimitIntervalSec=0", "Restart=always", "RestartSec=5"] {
        assert!(has(line), "{line} is not in the unit");
    }
    assert!(has("ProcSubset=pid") && has("Environment=HOSTNAME=%H"), "/proc does not say it");
}

/// Each alert of the operator's page: its name, and what follows up to the next one.
fn alerts() -> Vec<(&'static str, &'static str)> {
    let (_, rules) = OPERATE.split_once("groups:\n").expect("the rules");
    let (rules, _) = rules.split_once("```").expect("their end");
    let each = rules.split("- alert: ").skip(1);
    each.map(|rule| rule.split_once(char::is_whitespace).expect("a name")).collect()
}

/// The figures that a rule asks for.
fn figures(rule: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| !c.is_ascii_lowercase() && c != '_';
    rule.split(word).filter(|word| word.starts_with("laika_"))
}

#[test]
fn every_alert_asks_for_figures_that_there_are() {
    let (_, table) = OPERATE.split_once("\n| name | labels | is |\n").expect("the figures");
    let (table, _) = table.split_once("\n\n").expect("their end");
    let known = |name: &str| table.lines().any(|row| row.starts_with(&format!("| `{name}` |")));
    for (name, rule) in alerts() {
        let asked: Vec<_> = figures(rule).filter(|figure| !known(figure)).collect();
        assert!(asked.is_empty(), "{name} asks for {asked:?}");
    }
    assert!(alerts().len() > 10);
}

/// A comparison with what nobody says is silent: a server that is gone, and -1 for "never".
#[test]
fn an_alert_speaks_where_no_server_does_and_where_nothing_was_ever_done() {
    let rule = |wanted: &str| alerts().into_iter().find(|(name, _)| *name == wanted);
    let (_, down) = rule("LaikaDown").expect("the alert");
    assert!(down.contains(r#"up{job="laika"} == 0 or absent(up{job="laika"})"#), "{down}");
    assert!(OPERATE.contains("job_name: laika "), "the job that it asks for");
    let (_, never) = rule("LaikaAuditNever").expect("the alert");
    let rows = OPERATE.lines().filter(|row| row.contains("-1 before it"));
    let names: Vec<_> = rows.filter_map(|row| figures(row).next()).collect();
    assert_eq!(names, ["laika_books_age_seconds", "laika_audit_age_seconds"]);
    for name in names {
        assert!(never.contains(&format!("max({name}) < 0")), "{name} is not in {never}");
    }
}
