//! What breaks a rule, and why it may.

use super::rules::{
    ADVISORY, CONFLICTS, FUNCTIONS, LEADS, NAMES, QUERIES, ROW_LOCKS, RULES, UNIQUE,
};

/// One exception.
pub(super) struct Exception {
    pub(super) rule: &'static str,
    /// A table, a key of one, or a file and its function.
    pub(super) subject: &'static str,
    pub(super) reason: &'static str,
}

const fn of(rule: &'static str, subject: &'static str, reason: &'static str) -> Exception {
    Exception { rule, subject, reason }
}

/// All of them.
pub(super) const EXCEPTIONS: &[Exception] = &[
    of(
        LEADS,
        "audit_log",
        "What operators did: one chain for all, a few rows a day. A table of the first node.",
    ),
    of(
        LEADS,
        "gateway_events",
        "Named by the gateway, which knows no account of ours. Lies by `id`.",
    ),
    of(
        LEADS,
        "inbox",
        "An event is known by its source and id before its line is. Lies by (`source`, `id`); each feed's names may as well lie on a node of their own.",
    ),
    of(LEADS, "messages", "Some are for people who have no account yet. Lies by `key`."),
    of(LEADS, "registrations", "There is no account yet. Lies by `id`."),
    of(
        LEADS,
        "sessions",
        "Found by the token alone, before the account is known. Lies by `token_sha256`.",
    ),
    of(LEADS, "settings", "A handful of values that all servers share. A copy on every node."),
    of(LEADS, "signing_keys", "A few rows, read by all. A copy on every node."),
    of(
        LEADS,
        "throttles",
        "Counts hashed contacts and addresses, accounts or not. Lies by `subject`.",
    ),
    of(LEADS, "turns", "A row for each duty of the servers. A table of the first node."),
    of(
        LEADS,
        "audit_passes",
        "How far the auditor has come: one row. On many nodes each has its own.",
    ),
    of(LEADS, "leases", "A row for each duty that is due now and then. A table of the first node."),
    of(
        UNIQUE,
        "accounts (phone)",
        "One account for a phone number, wherever it lies: becomes a directory by contact, as below.",
    ),
    of(
        UNIQUE,
        "accounts (email)",
        "One account for an address, wherever it lies: becomes a directory by contact, as below.",
    ),
    of(
        UNIQUE,
        "lines (id)",
        "Ids are random, so that the key with the account is enough: dropped when lines are spread.",
    ),
    of(
        UNIQUE,
        "lines (iccid)",
        "One line for an eSIM, wherever it lies: becomes a directory by ICCID, as below.",
    ),
    of(
        CONFLICTS,
        "store/accounts.rs: insert",
        "Either contact may be taken; which one is nobody's to know. All three databases take it without columns.",
    ),
    of(CONFLICTS, "store/lines.rs: insert", "Goes to the directory by ICCID when there is one."),
    of(
        CONFLICTS,
        "store/receipts.rs: add_key",
        "Either the key is known or another server made one. All three databases take it without columns.",
    ),
    of(
        NAMES,
        "store/accounts.rs: by_contact",
        "Signing in and registering: asks the directory by contact when there is one.",
    ),
    of(
        NAMES,
        "store/lines.rs: keys_by_iccid",
        "Each group of usage, once: asks the directory by ICCID when there is one.",
    ),
    of(NAMES, "store/lines.rs: by_iccid", "An operator's command: asks every node."),
    of(NAMES, "store/lines.rs: find", "An operator's command: asks every node."),
    of(NAMES, "store/lines.rs: all", "An operator's command, and the audit: reads every node."),
    of(NAMES, "store/lines.rs: stopped", "An operator's command: asks every node."),
    of(
        NAMES,
        "store/lines.rs: keys_after",
        "The kill switch walks over all lines, some at a time.",
    ),
    of(
        NAMES,
        "store/payment_methods.rs: has_customers",
        "Once at a server's start: asks every node.",
    ),
    of(NAMES, "store/lines.rs: newest_at", "Once at a server's start: asks every node."),
    of(
        NAMES,
        "store/figures.rs: recharges_open",
        "Monitoring: each node counts its own, from an index.",
    ),
    of(
        NAMES,
        "store/figures.rs: recharges_since",
        "Monitoring: each node counts its own, from an index.",
    ),
    of(
        NAMES,
        "store/figures.rs: unknown_since",
        "Monitoring: each node counts its own, from an index.",
    ),
    of(NAMES, "store/figures.rs: jobs_due", "Monitoring: each node counts its own, from an index."),
    of(
        NAMES,
        "store/jobs.rs: claim",
        "A worker takes what is due anywhere. With many nodes each has workers of its own, which claim from it alone.",
    ),
    of(
        NAMES,
        "store/jobs.rs: next_due",
        "The same look before a claim: from an index, twice a second on each server.",
    ),
    of(NAMES, "store/jobs.rs: release", "Once at a server's start: asks every node."),
    of(NAMES, "store/jobs.rs: unreadable", "The audit: reads every node."),
    of(
        NAMES,
        "store/ledger.rs: unbalanced",
        "The audit: each node sums its own; a transaction is one account's.",
    ),
    of(
        NAMES,
        "store/payment_methods.rs: declined_at",
        "The limit of declines is a card's, over all accounts that carry it: an index by fingerprint, asked of every node.",
    ),
    of(NAMES, "store/payment_methods.rs: declines", "The same for a set of cards."),
    of(NAMES, "store/pending.rs: page", "An operator's list, a page at a time."),
    of(NAMES, "store/pending.rs: get", "An operator's command: asks every node."),
    of(NAMES, "store/recharges.rs: opened_since", "A restore, once: reads every node."),
    of(
        NAMES,
        "store/recharges.rs: unknown",
        "The reconciler, every two minutes on one server: each node its own, from an index.",
    ),
    of(NAMES, "store/recharges.rs: page", "An operator's list, a page at a time."),
    of(NAMES, "store/cases.rs: get", "An operator's command: asks every node."),
    of(NAMES, "store/cases.rs: page", "An operator's list, a page at a time."),
    of(NAMES, "store/cases.rs: counts", "Monitoring: each node counts its own, from an index."),
    of(NAMES, "store/inbox.rs: counts", "The audit: each node counts its own."),
    of(NAMES, "store/ledger/audit.rs: without_line", "The audit: reads every node."),
    of(
        NAMES,
        "store/lines.rs: after",
        "The audit and the nightly check walk over all lines, some at a time.",
    ),
    of(NAMES, "store/lines.rs: skip_recharges", "Once after a restore: each node its own."),
    of(NAMES, "store/lines.rs: count", "The audit: each node counts its own, once a pass."),
    of(
        NAMES,
        "store/payment_methods/audit.rs: declined_often",
        "The audit of the limit of declines, which is a card's: asks every node.",
    ),
    of(NAMES, "store/recharges.rs: without_line", "The audit: reads every node."),
    of(
        NAMES,
        "store/returns.rs: of_payment",
        "A dispute names a payment and no account: an index by payment, asked of every node.",
    ),
    of(
        NAMES,
        "store/returns.rs: disputed",
        "The reconciler, every two minutes on one server: each node its own, from an index.",
    ),
    of(
        NAMES,
        "store/returns.rs: count_disputes_open",
        "Monitoring: each node counts its own, from an index.",
    ),
    of(NAMES, "store/violations.rs: count", "Monitoring: each node counts its own, from an index."),
    of(
        NAMES,
        "store/sweep.rs: sweep",
        "Once a day on one server: each node sweeps its own visits to the gateway's page.",
    ),
    of(
        NAMES,
        "store/violations.rs: moving",
        "The audit, once a minute: from indexes, each node its own.",
    ),
    of(
        ROW_LOCKS,
        "store/dialect.rs: lock_lines",
        "One order of locks for a group of usage over many lines. On many nodes a group is of one node's lines, and there it works.",
    ),
    of(ROW_LOCKS, "store/dialect.rs: lock_accounts", "The same for their accounts."),
    of(
        ROW_LOCKS,
        "store/jobs.rs: claim",
        "Rows that another worker claims are passed over. With many nodes each has workers of its own, which claim from it alone.",
    ),
    of(
        ADVISORY,
        "store/dialect.rs: migration_lock",
        "Keeps two servers from migrating at once. Where there is no such lock, start one server first.",
    ),
    of(FUNCTIONS, "store/dialect.rs: migration_lock", "The same lock; it changes no row."),
    of(
        FUNCTIONS,
        "store/dialect.rs: prepare",
        "Makes `jsonb_each`, once: immutable, and of functions that all three have.",
    ),
    of(FUNCTIONS, "store/dialect.rs: clock", "Asks the time, beside any table."),
    of(
        QUERIES,
        "store/checkpoints.rs: latest",
        "The subquery is about the row's own account, which lies where the row does.",
    ),
    of(
        QUERIES,
        "store/inbox.rs: unnamed",
        "The audit: asks for names in the table where they lie, which is keyed by them.",
    ),
    of(
        QUERIES,
        "store/ledger/audit.rs: without_line",
        "The audit: the subquery is about the row's own account, which lies where the row does.",
    ),
    of(
        QUERIES,
        "store/recharges.rs: without_line",
        "The audit: the subquery is about the row's own account, which lies where the row does.",
    ),
];

/// The rules and the exceptions as `docs/scale.md` has them.
pub(super) fn table() -> String {
    let mut page = String::from("| rule | what it says | source |\n|---|---|---|\n");
    for rule in RULES {
        page += &format!("| {} | {} | <{}> |\n", rule.name, rule.words, rule.source);
    }
    page += "\n| exception to | what | why it may |\n|---|---|---|\n";
    for it in EXCEPTIONS {
        page += &format!("| {} | `{}` | {} |\n", it.rule, it.subject, it.reason);
    }
    page
}
