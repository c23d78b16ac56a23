-- When a slot is over, so that what counts nothing any more can be swept away. Slots counted before
-- this column are over at once: at most one slot's tries are given back, once.
ALTER TABLE throttles ADD COLUMN ends_at BIGINT NOT NULL DEFAULT 0;

CREATE INDEX throttles_ends ON throttles (ends_at);
