-- What goes back after a recharge ended, what the three-way reconciliation found, and whose turn it
-- is to look.

-- A captured payment with its later refunds and disputes; `body` is core's. `steps` counts the facts
-- that changed it and names its transactions in the books; `disputes_open` is what the rule waits for.
CREATE TABLE returns (
    account_id TEXT NOT NULL,
    recharge_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    line_id TEXT NOT NULL,
    payment TEXT NOT NULL,
    steps BIGINT NOT NULL,
    disputes_open BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account_id, recharge_id, attempt),
    FOREIGN KEY (account_id, recharge_id) REFERENCES recharges (account_id, id)
);

CREATE INDEX returns_by_line ON returns (account_id, line_id);

CREATE INDEX returns_by_payment ON returns (payment);

CREATE INDEX returns_by_time ON returns (changed_at);

CREATE INDEX returns_disputed ON returns (account_id, line_id) WHERE disputes_open > 0;

-- A difference, once: `id` is derived from its kind, recharge, payment and top-up. `status` is open,
-- refunding, settled or closed. What no account of ours explains is the house's. `evidence` is the
-- canonical JSON of what was compared when it was found.
CREATE TABLE cases (
    account_id TEXT NOT NULL,
    id TEXT NOT NULL,
    line_id TEXT,
    recharge_id TEXT,
    payment TEXT,
    kind TEXT NOT NULL,
    remedy TEXT NOT NULL,
    status TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (account_id, id)
);

CREATE INDEX cases_unsettled ON cases (status, found_at) WHERE status IN ('open', 'refunding');

-- Work that one process does at a time, now and then: who has it is fenced by `version`.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    done_at BIGINT NOT NULL
);
