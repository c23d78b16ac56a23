-- Several servers on one database: which of them holds a job, so that a start lets go of what its own
-- past held and of nothing that another server is doing. Leases from before this column end by
-- themselves.

ALTER TABLE jobs ADD COLUMN leased_by TEXT;

-- What one server at a time does for all of them: by name, whose turn it is and until when.
CREATE TABLE turns (
    name TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    ends_at BIGINT NOT NULL
);
