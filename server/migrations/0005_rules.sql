-- Rules and what deciding remembers. Bodies are JSON of core's types; columns are what statements
-- look for.

-- One rule per line. `consumed_*` are the occurrences already charged, skipped or gone. `alerted`
-- is 1 while the balance is at or below the alert's threshold and the customer was told.
CREATE TABLE rules (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    rule TEXT NOT NULL,
    draft TEXT NOT NULL,
    suspended TEXT,
    consumed_through BIGINT,
    consumed_expiry_at BIGINT,
    alerted BIGINT NOT NULL,
    PRIMARY KEY (account_id, line_id),
    FOREIGN KEY (account_id, line_id) REFERENCES lines (account_id, id)
);

-- Every version there ever was: what was agreed to, in which words, and by which request.
CREATE TABLE rule_versions (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    what TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    rule TEXT NOT NULL,
    consent TEXT,
    request_key TEXT,
    request_sha256 TEXT,
    PRIMARY KEY (account_id, line_id, version)
);

CREATE UNIQUE INDEX rule_versions_by_request
ON rule_versions (account_id, line_id, request_key);

-- Announcements of scheduled charges. `occurrence` names the trigger; each is announced once.
CREATE TABLE notices (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    occurrence TEXT NOT NULL,
    notice TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, line_id, occurrence)
);

-- The latest record of each reason not to charge.
CREATE TABLE looks (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    record TEXT NOT NULL,
    looked_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, line_id, reason)
);
