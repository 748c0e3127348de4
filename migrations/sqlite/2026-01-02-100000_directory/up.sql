-- The users API: apps, their keys, and one table of user records (spec decision 6). What is personal is sealed
-- or a keyed hash, as in the first schema; every large key starts with the app.

CREATE TABLE directory_apps (
    app_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- never used again
    name TEXT NOT NULL UNIQUE,                   -- the operator's name for it
    anonymous BOOLEAN NOT NULL,                  -- /users?id= needs no key, on loopback
    created_at BIGINT NOT NULL
);
-- A call without a key has to mean one app.
CREATE UNIQUE INDEX directory_apps_one_anonymous ON directory_apps (anonymous) WHERE anonymous;

-- Keys are 256 random bits, so their plain hash says nothing about them. Revoked is deleted.
CREATE TABLE directory_keys (
    key_hash BLOB NOT NULL PRIMARY KEY,          -- SHA-256 of the whole key
    key_id TEXT NOT NULL UNIQUE,                 -- the key's name in listings and audit trail: first 16 hex digits of the hash
    app_id INTEGER NOT NULL REFERENCES directory_apps (app_id),
    klaim_id TEXT,                               -- user token: the one record it reaches; null: an app key
    created_at BIGINT NOT NULL
);
CREATE INDEX directory_keys_owner ON directory_keys (app_id, klaim_id);

CREATE TABLE directory_users (
    app_id INTEGER NOT NULL,
    klaim_id TEXT NOT NULL,                      -- creation time in ms, underscore, 5 characters; never changes
    user_id TEXT NOT NULL,                       -- the app's own id of the user; may be changed
    number BIGINT,                               -- 1..2^53-1: the id that /users?id= created the record under
    name BLOB,                                   -- sealed, as are the next five
    first_name BLOB,
    last_name BLOB,
    username BLOB,
    email BLOB,
    metadata BLOB,
    email_index BLOB,                            -- HMAC-SHA-256 of the e-mail address under email_index_key
    email_index_key INTEGER,
    seal_key INTEGER NOT NULL,                   -- lowest data-key version that any sealed column of the row uses
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (app_id, klaim_id),
    CONSTRAINT directory_users_one_per_user_id UNIQUE (app_id, user_id),
    CONSTRAINT directory_users_one_per_number UNIQUE (app_id, number),
    CONSTRAINT directory_users_one_per_email UNIQUE (app_id, email_index_key, email_index)
);
