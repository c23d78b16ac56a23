-- What a server of each later version added to the rows of 0009.sql: after the file that made room for
-- it, rows in its tables and cells in its columns. A charge that was disputed and won, a case that a
-- person closed, what the auditor once found and what it still finds, an agreement with a wallet, a
-- usage event whose movement stands beside it.

-- after 0010_checkpoints
INSERT INTO checkpoints (account_id, line_id, before_at, balance) VALUES
('acc_83c4e23957d13cbabfd9828d', 'line_a021027434cf2a74044b455f', 1795392000000000, '{"buckets":[{"id":"line_a021027434cf2a74044b455f-r1-b","bytes_total":5000000000,"bytes_left":5000000000,"expires_at":"2026-12-22T23:09:57.658447Z","granted_at":"2026-11-22T23:09:57.658447Z","grant_version":9,"recharge":"line_a021027434cf2a74044b455f-r1"},{"id":"line_a021027434cf2a74044b455f-b0","bytes_total":10000000000,"bytes_left":500000000,"expires_at":null,"granted_at":"2026-11-22T23:09:57.251965Z","grant_version":0,"recharge":null}],"credit":[],"pay_as_you_go":null,"credit_bytes":0,"overrun_bytes":0,"placed_through":{"time":"2026-11-22T23:09:57.592645Z","id":"sandbox/bar use_a14b5ea32289962e207f9c6b"}}');

-- after 0011_throttle_ends
INSERT INTO throttles (subject, slot, count, ends_at) VALUES
('5b0d0e2a7f5b0b6c3f1d9f8f3d7b1c0a5e4d3c2b1a09f8e7d6c5b4a392817060', 498720, 1, 1795478400000000);

-- after 0012_audit_log
INSERT INTO settings (name, value) VALUES ('audit_log_entries', 2);

INSERT INTO audit_log (number, done_at, operator, what, subject, why, before_sha256, sha256) VALUES
(1, 1795392060000000, 'ana', 'kill_switch_on', 'line_a021027434cf2a74044b455f', 'asked by the customer', '', '2da51039ea020cc3866cf1a6283717435a1698096be2977d92bc587e2f0e68c6'),
(2, 1795392120000000, 'ana', 'kill_switch_off', 'line_a021027434cf2a74044b455f', '', '2da51039ea020cc3866cf1a6283717435a1698096be2977d92bc587e2f0e68c6', '3597568371aaacfd3eacb136f7c72d5e9ff29d35eb1ba36603c9bbdefd9d8a8e');

-- after 0013_job_failures
INSERT INTO jobs (account_id, key, line_id, work, due_at, attempts, version, leased_until, failure) VALUES
('acc_fee4e85be2b6dabca675b6be', 'detach/pm_gone', 'line_afb975fe24442d0518ce99ea', '{"kind":"detach","token":"pm_gone"}', 1795395600000000, 2, 2, 0, 'the gateway is not there');

-- after 0015_gateway_events
INSERT INTO gateway_events (id, received_at) VALUES ('evt_1QxLaika', 1795392540000000);

-- after 0016_books
INSERT INTO returns (account_id, recharge_id, attempt, line_id, payment, steps, disputes_open, changed_at, body) VALUES
('acc_83c4e23957d13cbabfd9828d', 'line_a021027434cf2a74044b455f-r1', 1, 'line_a021027434cf2a74044b455f', 'pay_d1687a176c205c570a42107b', 2, 0, 1795393200000000, '{"recharge_id":"line_a021027434cf2a74044b455f-r1","attempt":1,"payment":"pay_d1687a176c205c570a42107b","captured":{"amount_minor":1500,"currency":"EUR"},"returned_before_minor":0,"refunds":[],"disputes":[{"dispute":"dp_7f3c","amount":{"amount_minor":1500,"currency":"EUR"},"status":"won","since":"2026-11-23T00:10:00Z"}]}');

INSERT INTO ledger_entries (account_id, line_id, tx_key, seq, book, unit, amount, posted_at) VALUES
('acc_83c4e23957d13cbabfd9828d', 'line_a021027434cf2a74044b455f', 'line_a021027434cf2a74044b455f-r1/returns/1/1', 0, 'sales', 'EUR', -1500, 1795392600000000),
('acc_83c4e23957d13cbabfd9828d', 'line_a021027434cf2a74044b455f', 'line_a021027434cf2a74044b455f-r1/returns/1/1', 1, 'disputed', 'EUR', 1500, 1795392600000000),
('acc_83c4e23957d13cbabfd9828d', 'line_a021027434cf2a74044b455f', 'line_a021027434cf2a74044b455f-r1/returns/1/2', 0, 'disputed', 'EUR', -1500, 1795393200000000),
('acc_83c4e23957d13cbabfd9828d', 'line_a021027434cf2a74044b455f', 'line_a021027434cf2a74044b455f-r1/returns/1/2', 1, 'sales', 'EUR', 1500, 1795393200000000);

INSERT INTO ledger_balances (account_id, line_id, book, unit, amount) VALUES
('acc_83c4e23957d13cbabfd9828d', 'line_a021027434cf2a74044b455f', 'disputed', 'EUR', 0);

INSERT INTO cases (account_id, id, line_id, recharge_id, payment, kind, remedy, status, found_at, seen_at, changed_at, evidence) VALUES
('house', 'case_3d1a9c', NULL, NULL, 'pay_of_nobody', 'unknown', 'case', 'closed', 1795393800000000, 1795393800000000, 1795394400000000, '{"as_of":"2026-11-23T00:30:00Z","gateway":["2026-10-01T00:00:00Z","2026-11-23T00:30:00Z"],"carrier":["2026-10-01T00:00:00Z","2026-11-23T00:30:00Z"],"difference":{"kind":{"code":"unknown"},"line_id":null,"recharge_id":null,"attempt":null,"payment":"pay_of_nobody","top_up":null,"expected":null,"charged":[{"amount_minor":1500,"currency":"EUR"}],"credited":[],"remedy":{"code":"case"}},"payments":[{"id":"pay_of_nobody","key":null,"created_at":"2026-11-21T12:00:00Z","state":{"kind":"captured","amount":{"amount_minor":1500,"currency":"EUR"},"captured_at":"2026-11-21T12:00:00Z"},"refunds":[],"disputes":[]}],"top_ups":[]}');

INSERT INTO leases (name, version, leased_until, done_at) VALUES ('check_books', 3, 0, 1795393800000000);

-- after 0017_violations
INSERT INTO violations (account_id, line_id, code, subject, detail, found_at, seen_at, gone_at) VALUES
('acc_83c4e23957d13cbabfd9828d', 'line_a021027434cf2a74044b455f', 'book_differs', 'line_a021027434cf2a74044b455f', 'sales EUR: kept 1501, entries 1500', 1795394460000000, 1795394520000000, 1795394580000000),
('acc_fee4e85be2b6dabca675b6be', 'line_afb975fe24442d0518ce99ea', 'data_differs', 'line_afb975fe24442d0518ce99ea', 'buckets 499999999, books 500000000', 1795394640000000, 1795394640000000, NULL);

INSERT INTO audit_passes (name, account_id, line_id, whole_at) VALUES ('lines', 'acc_83c4e23957d13cbabfd9828d', 'line_a021027434cf2a74044b455f', 1795394700000000);

-- after 0019_looked
UPDATE lines SET looked_reason = 'not_due', looked_sha256 = '9dfe23012caefac638c305e27dc4ed7b', looked_at = 1795395000000000, looked_bytes = 5500000000, looked_credit_minor = 0
WHERE id = 'line_a021027434cf2a74044b455f';

UPDATE looks SET bytes = 10000000000, credit_minor = 0 WHERE line_id = 'line_a021027434cf2a74044b455f' AND reason = 'rule_off';

-- after 0021_nodes
INSERT INTO turns (name, node, ends_at) VALUES ('compare_list', 'node_one', 1795399200000000);

UPDATE jobs SET leased_by = 'node_one', leased_until = 1795395060000000 WHERE key = 'detach/pm_gone';

-- after 0022_agreements
INSERT INTO payment_methods (account_id, id, token, rail, brand, funding, last4, exp_month, exp_year, fingerprint, instrument, place, added_at, removed_at) VALUES
('acc_fee4e85be2b6dabca675b6be', 'pm_0b7de1c53f0f4a6cb7c2a913', 'agr_5ad0c2', 'alipay_cycle', 'Alipay', 'wallet', '', 0, 0, 'agr_5ad0c2', 'agr_5ad0c2', 1, 1795395120000000, 0);

INSERT INTO agreements (account_id, payment_method_id, currency, cycle_days, most_per_debit_minor, total_minor, debits_most, debited_minor, debits, debited_at) VALUES
('acc_fee4e85be2b6dabca675b6be', 'pm_0b7de1c53f0f4a6cb7c2a913', 'EUR', 7, 5000, 260000, 52, 1500, 1, 1795395180000000);

-- after 0023_moved
INSERT INTO inbox (source, id, sha256) VALUES
('carrier/eu-1', 'late-1', '9ec30bcb7e26c2ebe01bb198cc6e02399b6ab63d8e176dc946a254c3786c2f55');

INSERT INTO usage_events (account_id, line_id, used_at, event_id, bytes, country, received_version, received_at, moved_bytes, moved_minor) VALUES
('acc_83c4e23957d13cbabfd9828d', 'line_a021027434cf2a74044b455f', 1795395600000000, 'carrier/eu-1 late-1', 100000000, NULL, 10, 1795395660000000, 100000000, 0);

UPDATE buckets SET bytes_left = 4900000000 WHERE id = 'line_a021027434cf2a74044b455f-r1-b';

UPDATE lines SET version = 10, newest_at = 1795395660000000, placed_at = 1795395600000000, placed_id = 'carrier/eu-1 late-1', looked_at = 1795395660000000, looked_bytes = 5400000000, moved_bytes = 100000000
WHERE id = 'line_a021027434cf2a74044b455f';

UPDATE accounts SET version = 11 WHERE id = 'acc_83c4e23957d13cbabfd9828d';
