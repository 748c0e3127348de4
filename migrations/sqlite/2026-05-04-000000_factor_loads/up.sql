-- What operators have loaded for scoring. Public data: nothing in it is personal or sealed.
CREATE TABLE factor_loads (
    load_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- in this order rows replace each other
    kind TEXT NOT NULL CHECK (kind IN ('rates', 'cpi', 'prices', 'grid', 'set')),
    set_id TEXT,                                 -- the factor set that the file belongs to; NULL for dated rows
    file TEXT NOT NULL,                          -- the file's name, without its folder
    checksum TEXT NOT NULL,                      -- hex SHA-256 of the file
    row_count INTEGER NOT NULL,                  -- rows of the file
    kept INTEGER NOT NULL,                       -- rows in content: those that were new or other than before
    content TEXT NOT NULL,                       -- CSV
    loaded_at BIGINT NOT NULL,
    loaded_by TEXT NOT NULL,                     -- as in the audit trail
    CHECK ((kind = 'set') = (set_id IS NOT NULL)),
    UNIQUE (set_id, file)
);

-- One row, raised in the transaction of every load; every node polls it.
CREATE TABLE factor_version (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO factor_version (id, version) VALUES (1, 0);
