-- Orgs, users and clients can be deactivated; tokens end when they are not used; sign-ins that fail
-- are counted for all processes; devices are known; the audit log.

ALTER TABLE orgs ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE users ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE clients ADD COLUMN state TEXT NOT NULL DEFAULT 'active';

-- Whether `serve --dev` made the org. Only `serve --dev` registers the client of the sample.
ALTER TABLE orgs ADD COLUMN dev BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE orgs SET dev = TRUE WHERE id IN
    (SELECT org_id FROM clients WHERE client_id = '1000.NPY9M1V0XXXXXXXXXXXXXXXXXXXF7H');

-- When a refresh token was used last. The uses before this migration are not known.
ALTER TABLE tokens ADD COLUMN last_used BIGINT;
UPDATE tokens SET last_used = (extract(epoch FROM now()) * 1000000)::BIGINT
WHERE kind = 'refresh';
CREATE INDEX tokens_by_use ON tokens (last_used) WHERE last_used IS NOT NULL;
-- It serves what `tokens_refresh` did, too.
DROP INDEX tokens_refresh;
CREATE INDEX tokens_by_client ON tokens (client_id, user_id, kind, created_time);
CREATE INDEX tokens_by_user ON tokens (user_id);
-- Used codes are remembered as long as what they gave is valid.
CREATE INDEX tokens_used_codes ON tokens (hash) WHERE kind = 'code' AND used;

-- Wrong passwords by the SHA-256 of where they came from and of the user that they were for.
CREATE TABLE sign_in_failures (
    key TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_time BIGINT NOT NULL
);

CREATE INDEX sign_in_failures_by_time ON sign_in_failures (last_time);

-- Browsers in which a user has signed in before; only the SHA-256 of the cookie is stored.
CREATE TABLE devices (
    hash TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    last_used BIGINT NOT NULL,
    PRIMARY KEY (hash, user_id)
);

CREATE INDEX devices_by_user ON devices (user_id, last_used);
CREATE INDEX devices_by_use ON devices (last_used);

-- Who did what to accounts and tokens. An entry is kept when what it names is removed.
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time BIGINT NOT NULL,
    action TEXT NOT NULL,
    org_id BIGINT,
    user_id BIGINT,
    client_id TEXT,
    address TEXT NOT NULL,
    operator TEXT NOT NULL,
    detail TEXT NOT NULL
);

CREATE INDEX audit_by_time ON audit (time);
