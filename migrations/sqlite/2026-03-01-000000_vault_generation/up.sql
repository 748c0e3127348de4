-- One row, raised in the same transaction as any change of data_keys that alters which keys seal or index; every node
-- polls it, and whoever writes sealed values compares it (src/store/fence.rs).
CREATE TABLE vault_generation (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO vault_generation (id, version) VALUES (1, 0);
