-- Messages that belong to no account are a registration's, with its codes, and go soon.

CREATE INDEX messages_of_nobody ON messages (created_at) WHERE account_id IS NULL;
