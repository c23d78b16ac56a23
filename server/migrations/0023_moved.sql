-- What usage moves in the books of a line: data from `line_data` to `used`, credit from `line_credit`
-- to `sales`. What a transaction moved stands with the last event that it placed, and the sum over
-- all events in the line's row. So usage needs no entries of its own; those that it had before stay
-- where they are. A book's balance is that of its entries and of the usage together.
ALTER TABLE usage_events ADD COLUMN moved_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_events ADD COLUMN moved_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE lines ADD COLUMN moved_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE lines ADD COLUMN moved_minor BIGINT NOT NULL DEFAULT 0;
