DROP TABLE transaction_months;
DROP TABLE transaction_ledgers;
