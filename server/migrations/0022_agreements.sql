-- Agreements with wallets: the limits of debits while the customer is away, and how far they are
-- used. One for each payment method that is a wallet; counted in the transaction that takes a capture
-- in. Refunds give nothing of it back. 0 is "never debited".
CREATE TABLE agreements (
    account_id TEXT NOT NULL,
    payment_method_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    cycle_days BIGINT NOT NULL,
    most_per_debit_minor BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    debits_most BIGINT NOT NULL,
    debited_minor BIGINT NOT NULL,
    debits BIGINT NOT NULL,
    debited_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, payment_method_id)
);
