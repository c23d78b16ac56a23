-- What the continuous auditor found, so that a restart forgets nothing, and how far it has come.

-- Something that must not be. `gone_at` is when a later look no longer found it. What is about no
-- line is the house's, with an empty line.
CREATE TABLE violations (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    gone_at BIGINT,
    PRIMARY KEY (account_id, line_id, code, subject)
);

CREATE INDEX violations_present ON violations (found_at) WHERE gone_at IS NULL;

-- One row: where the pass over all lines goes on, and when the last whole one ended.
CREATE TABLE audit_passes (
    name TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    whole_at BIGINT
);
