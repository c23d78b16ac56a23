-- What monitoring counts, from indexes: recharges that have not ended, which are few, and those of
-- the last day.

CREATE INDEX recharges_unended ON recharges (status, opened_at)
WHERE status NOT IN ('done', 'failed', 'cancelled', 'refunded');

CREATE INDEX recharges_by_time ON recharges (opened_at, status);
