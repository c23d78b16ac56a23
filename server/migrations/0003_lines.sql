-- Lines, what they have, and the usage that draws on it. A balance is a pure function of the rows of
-- buckets, credit_grants and usage_events; what lines and buckets hold of it is kept, not decided.

-- Every money transaction begins by adding 1 to the line's version: that is its lock.
-- `newest_at` is the newest instant recorded for the line; the time never goes below it.
CREATE TABLE lines (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    id TEXT NOT NULL UNIQUE,
    iccid TEXT NOT NULL UNIQUE,
    version BIGINT NOT NULL,
    newest_at BIGINT NOT NULL,
    currency TEXT NOT NULL,
    per_gb_minor BIGINT,
    stopped BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    recharge_count BIGINT NOT NULL,
    credit_bytes BIGINT NOT NULL,
    overrun_bytes BIGINT NOT NULL,
    placed_at BIGINT,
    placed_id TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);

-- `grant_version` is the line's version at the grant: an event received earlier never draws on it.
CREATE TABLE buckets (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    id TEXT NOT NULL,
    bytes_total BIGINT NOT NULL,
    bytes_left BIGINT NOT NULL,
    expires_at BIGINT,
    granted_at BIGINT NOT NULL,
    grant_version BIGINT NOT NULL,
    recharge_id TEXT,
    PRIMARY KEY (account_id, line_id, id),
    FOREIGN KEY (account_id, line_id) REFERENCES lines (account_id, id)
);

CREATE TABLE credit_grants (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    id TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    grant_version BIGINT NOT NULL,
    PRIMARY KEY (account_id, line_id, id),
    FOREIGN KEY (account_id, line_id) REFERENCES lines (account_id, id)
);

-- Each usage event that was ever accepted, by its global name. The hash tells a repetition, which
-- is fine, from another event under the same name, which is an error.
CREATE TABLE inbox (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (source, id)
);

-- The key is the order of placement: by the event's own time, then by its source and id.
CREATE TABLE usage_events (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    country TEXT,
    received_version BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, line_id, used_at, event_id),
    FOREIGN KEY (account_id, line_id) REFERENCES lines (account_id, id)
);
