-- How far the import of a file has come: one row for each import that has not ended. Written in the commit of each batch, so
-- that an import that was killed goes on where it was. It names neither the file nor anything in it.
CREATE TABLE transaction_imports (
    import_key BLOB NOT NULL PRIMARY KEY, -- SHA-256 of the file's size and beginning and of the import's options
    run TEXT NOT NULL,                    -- the process that works on it; another one takes it over
    position BIGINT NOT NULL,             -- bytes of the file that are done
    record BIGINT NOT NULL,               -- the last line or message of those
    digest BLOB NOT NULL,                 -- SHA-256 of those bytes
    counts TEXT NOT NULL,                 -- records by outcome, JSON
    rejects BIGINT NOT NULL,              -- bytes of the file of rejects
    updated_at BIGINT NOT NULL            -- microseconds since 1970 UTC
);
