DROP TABLE gateway_key_usage;
