-- What people are told. A row is the message: the outbox is the only way out, so a message exists
-- exactly when the transaction that caused it does. `key` keeps each notice to one row.
CREATE TABLE messages (
    key TEXT PRIMARY KEY,
    account_id TEXT,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    language TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT
);

CREATE INDEX messages_unsent ON messages (sent_at, created_at);
