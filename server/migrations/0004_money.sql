-- Payment methods, recharges, the books and the jobs. Every table leads with the account, in its
-- keys too. BIGINT and TEXT only; instants are microseconds UTC, flags 0/1, bodies JSON of core.

-- Who an account is at the gateway.
CREATE TABLE gateway_customers (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id),
    customer TEXT NOT NULL
);

-- Visits to the gateway's hosted page; `id` is the gateway's.
CREATE TABLE payment_method_setups (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    id TEXT NOT NULL,
    payment_method_id TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);

-- What survives a hosted entry: a token and what a person recognises the card by. `instrument` is
-- the gateway's fingerprint with the expiry: the same card added again is the same instrument.
CREATE TABLE payment_methods (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    id TEXT NOT NULL,
    token TEXT NOT NULL,
    rail TEXT NOT NULL,
    brand TEXT NOT NULL,
    funding TEXT NOT NULL,
    last4 TEXT NOT NULL,
    exp_month BIGINT NOT NULL,
    exp_year BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    instrument TEXT NOT NULL,
    place BIGINT NOT NULL,
    added_at BIGINT NOT NULL,
    removed_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);

CREATE UNIQUE INDEX payment_methods_once ON payment_methods (account_id, instrument)
WHERE removed_at = 0;

-- Instruments that a hard decline ended for a line's rule, whatever method carries them later.
CREATE TABLE barred_instruments (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    instrument TEXT NOT NULL,
    barred_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, line_id, instrument)
);

-- Each declined attempt, once: the limits count by card over all lines and accounts.
CREATE TABLE declines (
    account_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    declined_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, idempotency_key)
);

CREATE INDEX declines_by_card ON declines (fingerprint, declined_at);

-- `body` is the recharge itself; the columns are what statements look for. `standing` is
-- open, unknown, spent or released. `request_key` is the customer's own, when bought by hand.
-- `record` is the decision record that justifies it. The balances are those round the credit.
CREATE TABLE recharges (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    automatic BIGINT NOT NULL,
    status TEXT NOT NULL,
    standing TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    reserved_at BIGINT NOT NULL,
    request_key TEXT,
    request_sha256 TEXT,
    body TEXT NOT NULL,
    record TEXT,
    before_bytes BIGINT,
    after_bytes BIGINT,
    PRIMARY KEY (account_id, id)
);

CREATE UNIQUE INDEX recharges_by_line ON recharges (account_id, line_id, number);

-- At most one open automatic recharge per line, whatever the code believes.
CREATE UNIQUE INDEX recharges_one_open ON recharges (account_id, line_id)
WHERE automatic = 1 AND standing IN ('open', 'unknown');

-- A request that is repeated finds what it made.
CREATE UNIQUE INDEX recharges_by_request ON recharges (account_id, request_key);

-- The books: append-only. `tx_key` names the transaction; its entries sum to zero per unit.
CREATE TABLE ledger_entries (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    tx_key TEXT NOT NULL,
    seq BIGINT NOT NULL,
    book TEXT NOT NULL,
    unit TEXT NOT NULL,
    amount BIGINT NOT NULL,
    posted_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, tx_key, seq)
);

-- Each book's sum, kept in the transaction of its entries.
CREATE TABLE ledger_balances (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    book TEXT NOT NULL,
    unit TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (account_id, line_id, book, unit)
);

-- Work to be done outside a transaction, written in the one that caused it. One pending job per
-- key. `version` fences: whoever finishes a job must still hold the version it claimed.
CREATE TABLE jobs (
    account_id TEXT NOT NULL,
    key TEXT NOT NULL,
    line_id TEXT NOT NULL,
    work TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    version BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    PRIMARY KEY (account_id, key)
);

CREATE INDEX jobs_due ON jobs (due_at);
