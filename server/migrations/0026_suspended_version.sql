-- The version of a rule that was suspended: a later one that names another instrument than any since
-- then ends the suspension, and one that merely leaves a card out and takes it in again does not.
ALTER TABLE rules ADD COLUMN suspended_version BIGINT;
