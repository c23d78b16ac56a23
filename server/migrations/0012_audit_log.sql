-- What operators did, append-only. Each entry's hash is over its own cells and the hash before it, so
-- that one edited, taken out or put in shows; `settings` counts them, so that the last ones do too.
CREATE TABLE audit_log (
    number BIGINT PRIMARY KEY,
    done_at BIGINT NOT NULL,
    operator TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    why TEXT NOT NULL,
    before_sha256 TEXT NOT NULL,
    sha256 TEXT NOT NULL
);
