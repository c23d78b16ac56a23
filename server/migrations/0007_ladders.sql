-- How far an instrument has come down the retry ladder on a line: it outlives recharges and edits of
-- the rule, so that neither tries a declined card again from the start. No row, no failure.
CREATE TABLE ladders (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    instrument TEXT NOT NULL,
    failures BIGINT NOT NULL,
    since BIGINT,
    PRIMARY KEY (account_id, line_id, instrument)
);
