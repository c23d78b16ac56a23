//! What `laika --help` says, as a person reads it, and `laika --version`.

use super::{Failure, Outcome};
use std::io::Write;

const OVERVIEW: &str = "\
laika: eSIM data that never runs out, and no charge nobody agreed to

USAGE
    laika COMMAND [OPTIONS]

RUNNING
    serve               the app, its API and the worker, on one address
    sandbox             the sandbox payment provider and carrier, as their own process

LINES AND USAGE
    line add            add a line that no customer has yet
    lines --json        every line with what it has left, as JSON
    ingest FILE|-       count usage: CloudEvents 1.0, one JSON object a line

OPERATING
    recharges           what was charged and what is under way: [--line ID] [--open|--unknown]
    recharge ID         everything that is known of one: attempts, facts, books, jobs
    jobs [--due|--failed] what is still to be done outside
    jobs retry ID       try a failed one again at once
    kill-switch [on|off] stop all charging, or on one line; alone: whether it is on
    reconcile           our record, the gateway's statement and the carrier's, compared now
    cases [--all]       the differences found that are not settled; case ID: all of one
    case ID close --why TEXT   end one that a person has looked at
    backup FILE         copy the SQLite database while it is in use
    restore FILE        check such a copy and put it in the database's place

CHECKING
    audit --json        check the books, the caps and the recharges; exit 1 if anything is wrong
    verify-receipt FILE check consent receipts and their signatures; exit 1 if one does not hold

THE RULES, AS JSON LINES (standard input to standard output)
    schedule            the next 12 instants of each schedule
    validate            what was typed for a rule: the rule, or every field's error
    decide              recharge, wait or skip, and why
    preview             what a rule will do: sentence, dates, cost, the most it can take

ENVIRONMENT
    LAIKA_LISTEN          app and API            localhost:8080  (port 0: any free one)
    LAIKA_SANDBOX_LISTEN  sandbox provider       127.0.0.1:8081
    LAIKA_SANDBOX_DATA    what it remembers      laika-sandbox.jsonl
    DATABASE_URL          sqlite:FILE or postgres://HOST[,HOST]/NAME   sqlite:laika.db
    LAIKA_NODE            this server's name among those of its database, if not its machine's
    LAIKA_ORIGIN          where customers reach the app, when a proxy is in front of it
    LAIKA_METRICS_LISTEN  metrics for Prometheus, at /metrics; not served without it
    LAIKA_LOG_FORMAT      text or json, an object a line   text
    LAIKA_USAGE_SECRET    signs usage over HTTP; without it none is taken
                          (or LAIKA_USAGE_SECRET_FILE, a file that holds it)
    LAIKA_SIGNING_KEY     signs consent receipts, 64 hex digits; without it a key is made once
                          and kept in the database  (or LAIKA_SIGNING_KEY_FILE)
    LAIKA_CARRIER_URL     the carrier that delivers (docs/carrier.md); without it, the sandbox's
    LAIKA_CARRIER_SECRET  proves to it who asks  (or LAIKA_CARRIER_SECRET_FILE)
    STRIPE_SECRET_KEY     payments by Stripe; a live key only with such a carrier; without it,
                          by the sandbox
                          (or STRIPE_SECRET_KEY_FILE)
    STRIPE_WEBHOOK_SECRET signs its webhooks  (or STRIPE_WEBHOOK_SECRET_FILE)
    STRIPE_API_BASE       where it is            https://api.stripe.com
    STRIPE_WALLETS        paid with by a link: alipay, wechat_pay, or both with a comma between

EXIT CODES
    0 done    1 failed, or something is wrong    2 not understood    3 done, some rows rejected

But for line add, these commands make no database: where DATABASE_URL names none that laika serve
was started on, they fail.

laika COMMAND --help says more about one command.
";

const COMMANDS: &[(&str, &str)] = &[
    (
        "serve",
        "\
laika serve [--listen HOST:PORT] [--origin URL] [--database-url URL] [--metrics-listen HOST:PORT]
            [--node NAME] [--sandbox-listen HOST:PORT] [--sandbox-data FILE] [--carrier-url URL]
            [--stripe-api-base URL] [--stripe-wallets NAMES]

Serves the app, its API and the worker. The first line on standard output is
`listening http://HOST:PORT`; everything else goes to standard error, with the sandbox's
messages. With Stripe and a carrier there is no sandbox. SIGINT or SIGTERM stops it after the
answers under way. Each flag takes the place of the variable of its name (laika --help); secrets
have none, as everybody on a machine sees its command lines.
",
    ),
    (
        "sandbox",
        "\
laika sandbox [--file FILE]

The sandbox payment provider and carrier as a process of their own: no real money, no real network.
The first line on standard output is `listening http://HOST:PORT`. FILE, laika-sandbox.jsonl where
left out, is all they remember. laika serve uses a sandbox that runs at its address already, and
otherwise starts one inside itself.
",
    ),
    (
        "line",
        "\
laika line add --iccid DIGITS --data-bytes N --credit-minor N --currency CODE

Adds a line that no customer has yet, with so many bytes that never expire and so much credit in
minor units. --data-bytes and --credit-minor are 0 and --currency is EUR where left out. Where there
is no database yet, it makes one, and says where.
",
    ),
    (
        "lines",
        "\
laika lines --json

One JSON object a line: {iccid, data_bytes, overrun_bytes, credit_minor, currency,
recharges: {open, done}}.
",
    ),
    (
        "ingest",
        "\
laika ingest FILE|-

Counts usage from a file, or from standard input: CloudEvents 1.0, one JSON object a line. Writes
{\"accepted\":n,\"duplicate\":n,\"rejected\":[{\"row\":1,\"code\":...,\"detail\":...}]}. Rows are counted
from 1. A good row counts once however often it comes; a bad one changes nothing, and the exit code
is then 3. It may run while laika serve runs.
",
    ),
    (
        "recharges",
        "\
laika recharges [--line ID|ICCID] [--open|--unknown] [--json]

One line for each recharge, by line and number: all of them, those that have not ended, or those of
which nobody knows what became. As JSON: {id, line_id, automatic, status, amount_minor, currency,
opened_at, attempts}.
",
    ),
    (
        "recharge",
        "\
laika recharge ID [--json]

Everything that is known of one recharge: what was decided and from what, each attempt with its key
and outcome, each fact in the order in which it was taken in, its entries in the books, and the jobs
that wait. As JSON: {account_id, recharge, record, before_bytes, after_bytes, returns, entries,
jobs}.
",
    ),
    (
        "jobs",
        "\
laika jobs [--due|--failed] [--json]
laika jobs retry ID

What is still to be done outside, by name: all, what is due and nobody does, or what was tried and
has to be tried again. As JSON: {account_id, key, line_id, work, due_at, attempts, held_until,
failure}. retry makes a job that failed due now; it is done under the same keys, so nothing happens
twice. A job that nobody has begun waits for its time. Who retried what is in the audit log.
",
    ),
    (
        "kill-switch",
        "\
laika kill-switch [on|off] [--line ID|ICCID] [--why TEXT] [--history] [--json]

Stops all charging, or lets it go on: automatic recharges and purchases by hand, on every line or on
one. It holds at once for every server on this database and through restarts. Charges already sent
are named; they are looked up, and cancelled where possible, as is any link that a customer could
still pay by. Usage, deliveries and refunds go on. Done again, it makes sure of every line once
more. Without on or off it says how things stand; --history says what operators ever did, who did
it and why. Standard error says which database it is.
",
    ),
    (
        "reconcile",
        "\
laika reconcile [--from DATE] [--until DATE] [--json]

Compares what was decided, what the gateway's statement and what the carrier's has, as each night:
of recharges opened since the month before this one began, or from --from on, up to --until (dates
in UTC, or instants), and nothing younger than 24 h. A difference becomes a case, once; where it is
provable the money goes back by itself. Writes what was compared and every case that is not settled;
as JSON {as_of, window, checked, new, unsettled}. The exit code is 1 when there is one, or when a
statement cannot be read: then nothing is concluded.
",
    ),
    (
        "cases",
        "\
laika cases [--all] [--json]

The differences that a reconciliation found: those of which something is left to do, or all. As
JSON: {id, account_id, line_id, recharge_id, payment, kind, remedy, status, found_at, seen_at,
changed_at}. status is open (a person has to look), refunding, settled or closed.
",
    ),
    (
        "case",
        "\
laika case ID [--json]
laika case ID close --why TEXT

One case with what it was found in: as of when, what core says, and the rows of both statements.
close ends one that is open, after a person has looked; who did and why is in the audit log. It
moves no money.
",
    ),
    (
        "backup",
        "\
laika backup FILE

Copies the SQLite database of DATABASE_URL to a new file, as it is at one instant, while servers go
on using it; checks the copy and writes {file, bytes, sha256}. It never overwrites a file, and only
its owner can read it. For PostgreSQL it prints the commands of its own tools instead, and exits 1.
",
    ),
    (
        "restore",
        "\
laika restore FILE

Puts a copy that laika backup made in the place of the SQLite database of DATABASE_URL, while no
server runs: checks the file, brings it up to this version, and has its books audited; where
anything is wrong, nothing is put in place. The database before is kept under another name. The kill
switch is on afterwards, as what was charged since the copy was made is not in it. Writes {replaced,
newest_at, lines, recharges_open}. For PostgreSQL it prints the commands of its own tools, and
without FILE does the rest of the above in a database that they have put a copy in.
",
    ),
    (
        "audit",
        "\
laika audit --json

Reads everything in one snapshot and writes {\"checked\":n,\"violations\":[{code, subject, detail}]}:
the books sum to zero and hold one unit each, balances are what their events make of their grants,
each recharge is what its facts make of what was decided and its entries are what they move, at most
one is open per line, at most one capture is kept, every automatic charge is justified by its record
and within the cap and the cool-down it cites, nothing was sent after a stop, refunds never exceed
the capture, somebody acts on all that has not ended, and the log of what operators did is whole.
The server looks at the same all day. The exit code is 1 if anything is wrong.
",
    ),
    (
        "verify-receipt",
        "\
laika verify-receipt FILE|- [--key HEX]...

Checks the consent receipts in a file, as the app's change log gives them: each against itself, by
the same code that made it, and against its signature, by the public keys given as 64 hex digits,
otherwise by those of the database. Writes one line each: {row, line_id, version, given_at, sha256,
key_id, signature: good|bad|unknown_key, faults: [...]}. The exit code is 0 when all hold, 1 when
one does not, and 3 when one could not be read, or was made by another version of the rules.
",
    ),
    (
        "schedule",
        "\
laika schedule < FILE

For each line {\"schedule\":…,\"time_zone\":…,\"after\":…} writes {\"next\":[12 instants]}, strictly
after `after`, in UTC. A line that cannot be read becomes {\"row\":n,\"code\":…,\"detail\":…}; then the
exit code is 3.
",
    ),
    (
        "validate",
        "\
laika validate < FILE

For each line {\"draft\":…,\"account\":…,\"now\":…} writes {\"rule\":…} or {\"errors\":[…]}, every
field's error in form order.
",
    ),
    (
        "decide",
        "\
laika decide < FILE

For each line {\"rule\":…,\"account\":…,\"history\":…,\"cause\":…,\"now\":…} writes the decision: recharge
with its order, or wait or skip with the reason and the next look.
",
    ),
    (
        "preview",
        "\
laika preview < FILE

For each line {\"draft\":…,\"inputs\":…,\"language\":…} writes {\"preview\":…} with the rule's sentence,
the next dates, the most it can take, and the hash that a save carries; or {\"errors\":[…]}.
",
    ),
];

/// Prints the overview, or what there is to say about one command.
pub(super) fn print(command: Option<&str>) -> Result<Outcome, Failure> {
    let text = COMMANDS.iter().find(|(name, _)| Some(*name) == command);
    say(text.map_or(OVERVIEW, |(_, text)| text))
}

/// Prints the version of the program and of its rules.
pub(super) fn version() -> Result<Outcome, Failure> {
    say(&format!(
        "laika {} (rules {}, tz {})\n",
        env!("CARGO_PKG_VERSION"),
        laika_core::ENGINE_VERSION,
        crate::zones::version()
    ))
}

fn say(text: &str) -> Result<Outcome, Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Outcome::Done)
}
