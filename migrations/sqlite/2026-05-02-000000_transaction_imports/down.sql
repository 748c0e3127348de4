DROP TABLE transaction_imports;
