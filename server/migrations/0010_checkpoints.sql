-- What a line had before any event of an instant or later: where the replay that a late event needs
-- begins. A copy of what grants and earlier events make, dropped when an earlier one arrives; it
-- is never the truth, and without it the replay begins at the grants.
CREATE TABLE checkpoints (
    account_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    before_at BIGINT NOT NULL,
    balance TEXT NOT NULL,
    PRIMARY KEY (account_id, line_id, before_at),
    FOREIGN KEY (account_id, line_id) REFERENCES lines (account_id, id)
);
