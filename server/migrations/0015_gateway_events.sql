-- Events of the payment gateway that were acted on: each may be sent many times. Written after what
-- it asked for, never before.
CREATE TABLE gateway_events (
    id TEXT PRIMARY KEY,
    received_at BIGINT NOT NULL
);

CREATE INDEX gateway_events_received ON gateway_events (received_at);
