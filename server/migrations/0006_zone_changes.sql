-- The day and month that were running when the account changed its zone (JSON); limits count in
-- them while they last, so that no change of zone makes a cap count twice.

ALTER TABLE accounts ADD COLUMN kept_periods TEXT;
