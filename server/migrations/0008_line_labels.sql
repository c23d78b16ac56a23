-- What the customer calls a line, checked by core's `label`; nothing until it has been named.

ALTER TABLE lines ADD COLUMN label TEXT;
