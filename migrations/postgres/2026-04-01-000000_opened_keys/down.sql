DROP TABLE gateway_keys_held;
DROP TABLE opened_keys;
