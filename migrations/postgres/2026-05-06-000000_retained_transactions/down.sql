DROP TABLE retained_transactions;
