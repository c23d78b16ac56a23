-- Who there is: accounts, what is typed before there is one, and who is signed in.
-- BIGINT and TEXT only; instants are microseconds UTC, flags 0/1, hashes hex.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

-- `version` counts the changes a signed-in browser should fetch; every money transaction bumps it.
-- The account `house` is the operator's own: it holds the lines no customer has, and nobody can
-- sign in to it.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    phone TEXT UNIQUE,
    email TEXT UNIQUE,
    password_hash TEXT,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

INSERT INTO accounts (id, version, language, time_zone, created_at)
VALUES ('house', 0, 'en', 'UTC', 0);

-- A registration for a contact that already has an account looks the same as any other; only the
-- message that goes to that contact differs.
CREATE TABLE registrations (
    id TEXT PRIMARY KEY,
    phone TEXT NOT NULL,
    email TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    phone_code_sha256 TEXT NOT NULL,
    email_code_sha256 TEXT NOT NULL,
    codes_end_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    sends BIGINT NOT NULL,
    confirmed_at BIGINT,
    created_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_sha256 TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    stepped_up_at BIGINT NOT NULL
);

CREATE INDEX sessions_by_account ON sessions (account_id);

-- How often a subject (a hashed contact or address, and what it did) acted in a slot of time.
CREATE TABLE throttles (
    subject TEXT NOT NULL,
    slot BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (subject, slot)
);
