-- Jobs of money are claimed before looks at lines, of which there is one for each line: an index of
-- the few. A look is written as this text, always.

CREATE INDEX jobs_money ON jobs (due_at, key) WHERE work <> '{"kind":"evaluate"}';
