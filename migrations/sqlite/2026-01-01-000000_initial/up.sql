-- The first schema. The same tables on SQLite and PostgreSQL.
--
-- Times are microseconds since 1970-01-01 UTC, bound by the application. What is personal is sealed
-- (AES-256-GCM, see src/vault/cipher.rs) or a keyed hash; a row in clear holds ids, the last four
-- digits, states and times. Every large key starts with the issuer, so that the tables shard by issuer.
-- Large tables carry no foreign keys: an issuer is never deleted, only marked REMOVED.

CREATE TABLE issuers (
    issuer_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,                        -- never used again, even after REMOVED
    client_id TEXT NOT NULL UNIQUE,              -- the part of oauth_consumer_key before '!'
    name TEXT NOT NULL,                          -- the programme's name: business data, like all columns here
    customer_id TEXT,                            -- the network's number of the customer
    email TEXT NOT NULL,                         -- the programme's contact address
    currency_code TEXT NOT NULL,                 -- ISO 4217, three letters
    country_code TEXT NOT NULL,                  -- ISO 3166-1 alpha-3
    country_name TEXT NOT NULL,
    terms_and_condition_url TEXT,
    privacy_notice_url TEXT,
    opt_out_url TEXT,
    theme TEXT,                                  -- JSON object
    status TEXT NOT NULL CHECK (status IN ('INACTIVE', 'ACTIVE', 'SUSPENDED', 'TERMINATED', 'REMOVED')),
    donation BOOLEAN NOT NULL,
    enrolment_epoch INTEGER NOT NULL,            -- raised when donation turns on after off: users of a lower epoch must enrol again
    responses TEXT NOT NULL CHECK (responses IN ('mirror', 'dashboards-only')),
    unicode_names BOOLEAN NOT NULL,              -- names may hold any letter, blank, hyphen and period
    rsa_pss BOOLEAN NOT NULL,                    -- OAuth signatures by RSA-PSS are accepted
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE account_ranges (
    prefix TEXT NOT NULL PRIMARY KEY CHECK (length(prefix) BETWEEN 4 AND 8),  -- leading digits of the PANs
    issuer_id INTEGER NOT NULL REFERENCES issuers (issuer_id),
    position INTEGER NOT NULL                    -- order in which the issuer gave them, from 0
);
CREATE INDEX account_ranges_issuer ON account_ranges (issuer_id);

CREATE TABLE issuer_certificates (
    issuer_id INTEGER NOT NULL REFERENCES issuers (issuer_id),
    purpose TEXT NOT NULL CHECK (purpose IN ('signing', 'encryption')),
    fingerprint TEXT NOT NULL,                   -- hex SHA-256 over the DER
    consumer_key TEXT NOT NULL DEFAULT '',       -- signing: the consumer key it belongs to; '' for any of the issuer
    pem TEXT NOT NULL,                           -- certificate or public key, never a private one
    not_before BIGINT,
    not_after BIGINT,
    PRIMARY KEY (issuer_id, purpose, fingerprint, consumer_key)
);

-- One row, raised in the same transaction as any change of the three tables above; every node polls it.
CREATE TABLE registry_version (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO registry_version (id, version) VALUES (1, 0);

CREATE TABLE data_keys (
    purpose TEXT NOT NULL CHECK (purpose IN ('seal', 'index')),
    version INTEGER NOT NULL CHECK (version > 0),
    state TEXT NOT NULL CHECK (state IN ('primary', 'active', 'retired')),
    kek_id TEXT NOT NULL,                        -- which key encryption key wrapped it
    wrapped BLOB NOT NULL,                     -- IV 12 | ciphertext 32 | tag 16
    created_at BIGINT NOT NULL,
    PRIMARY KEY (purpose, version)
);

CREATE TABLE users (
    issuer_id INTEGER NOT NULL,
    user_id TEXT NOT NULL,                       -- UUID in lower case
    status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE', 'TERMINATING', 'DELETED')),
    enrolment_epoch INTEGER NOT NULL,            -- the issuer's when the user enrolled
    name BLOB,                                 -- sealed, as are the next four
    email BLOB,
    phone BLOB,
    billing_address BLOB,
    locale BLOB,
    email_index BLOB,                          -- HMAC-SHA-256 of the e-mail address under email_index_key
    email_index_key INTEGER,
    seal_key INTEGER NOT NULL,                   -- lowest data-key version that any sealed column of the row uses
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (issuer_id, user_id)
);

CREATE TABLE cards (
    issuer_id INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    last_four TEXT NOT NULL CHECK (length(last_four) = 4),
    pan_index BLOB NOT NULL,                   -- HMAC-SHA-256 of the whole PAN under pan_index_key
    pan_index_key INTEGER NOT NULL,
    card BLOB NOT NULL,                        -- sealed: PAN, expiry, cardholder name, currency
    seal_key INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer_id, user_id),
    CONSTRAINT cards_one_per_pan UNIQUE (issuer_id, pan_index_key, pan_index)
);

CREATE TABLE oauth_nonces (
    issuer_id INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    expires_at BIGINT NOT NULL,                  -- from then on its timestamp is refused anyway
    PRIMARY KEY (issuer_id, nonce)
);
CREATE INDEX oauth_nonces_expiry ON oauth_nonces (expires_at);

-- Who did what, when, with which outcome: ids and codes, never personal data. Hash-chained per writer,
-- see src/store/audit/chain.rs.
CREATE TABLE audit_entries (
    chain TEXT NOT NULL,                         -- UUID, one per start of a writer
    seq BIGINT NOT NULL,                         -- from 1, without gaps
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,                         -- consumer key, or operator
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    issuer_id INTEGER,
    subject TEXT,                                -- user id
    request_id TEXT,
    origin TEXT,                                 -- network address of the caller
    previous_hash BLOB NOT NULL,               -- 32 zero bytes in the first entry
    hash BLOB NOT NULL,                        -- SHA-256
    PRIMARY KEY (chain, seq)
);

-- The last entry of each chain, so that entries cut off at the end are noticed too.
CREATE TABLE audit_heads (
    chain TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash BLOB NOT NULL
);

CREATE TABLE scoring_jobs (
    issuer_id INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'done', 'failed')),
    window_from BIGINT NOT NULL,                 -- 12 calendar months before enrolment
    window_to BIGINT NOT NULL,                   -- the enrolment
    attempts INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer_id, user_id)
);
