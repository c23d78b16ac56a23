-- What a line's latest look saw. The record of a look is kept whole in `looks` when anything in it
-- but these figures is new; while only they move, they move here, in the line's own row, and the
-- record is made again from both. `looked_sha256` is over everything else in the record. When
-- another reason takes over, the figures of the last one go beside its record.
ALTER TABLE lines ADD COLUMN looked_reason TEXT;
ALTER TABLE lines ADD COLUMN looked_sha256 TEXT;
ALTER TABLE lines ADD COLUMN looked_at BIGINT;
ALTER TABLE lines ADD COLUMN looked_bytes BIGINT;
ALTER TABLE lines ADD COLUMN looked_credit_minor BIGINT;
ALTER TABLE lines ADD COLUMN looked_expiry_at BIGINT;

-- Absent while the record's own figures are the latest of its reason.
ALTER TABLE looks ADD COLUMN bytes BIGINT;
ALTER TABLE looks ADD COLUMN credit_minor BIGINT;
ALTER TABLE looks ADD COLUMN expiry_at BIGINT;
