-- What went wrong the last time a job was tried, for the operator; nothing while nothing did.

ALTER TABLE jobs ADD COLUMN failure TEXT;
