-- What a transaction of usage moved in the books of a line, with the last event that it placed: data
-- from `line_data` to `used`, credit from `line_credit` to `sales`. So usage needs no entries of its
-- own; those that it had before stay where they are.
ALTER TABLE usage_events ADD COLUMN moved_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_events ADD COLUMN moved_minor BIGINT NOT NULL DEFAULT 0;
