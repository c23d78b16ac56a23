-- Consent receipts: one for each time a rule was turned on. `signed` is the whole file as the
-- customer gets it, byte for byte as it was signed; the other columns are what statements look for.
CREATE TABLE receipts (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    given_at BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signed TEXT NOT NULL,
    PRIMARY KEY (account_id, line_id, version)
);

-- Every key that ever signed, so that old receipts stay verifiable. `secret_key` is there only for
-- the one key that Laika made itself because none was configured; `made` is 1 for that one and NULL
-- for all others, so that two processes that start at once cannot make two.
CREATE TABLE signing_keys (
    key_id TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,
    secret_key TEXT,
    made BIGINT UNIQUE,
    since BIGINT NOT NULL
);
