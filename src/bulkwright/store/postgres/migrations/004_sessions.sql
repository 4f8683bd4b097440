-- Signing in by browser: profiles, passwords, sessions, consents; what a grant code is bound to.

-- What a user may do whatever the scopes of a token (domain/account.py).
ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT 'Administrator';

-- PKCE: the SHA-256 of the verifier that the exchange of a code must show (RFC 7636, S256).
ALTER TABLE tokens ADD COLUMN code_challenge TEXT;
-- Whether a code gives a refresh token too (access_type=offline).
ALTER TABLE tokens ADD COLUMN offline BOOLEAN NOT NULL DEFAULT TRUE;

CREATE INDEX tokens_refresh ON tokens (client_id, user_id, created_time) WHERE kind = 'refresh';
CREATE INDEX tokens_by_expiry ON tokens (expires_time) WHERE expires_time IS NOT NULL;

-- scrypt with its parameters and salt (service/passwords.py).
CREATE TABLE passwords (
    user_id BIGINT PRIMARY KEY REFERENCES users (id),
    hash TEXT NOT NULL,
    changed_time BIGINT NOT NULL
);

-- Signed-in browsers; only the SHA-256 of the cookie is stored.
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    org_id BIGINT NOT NULL REFERENCES orgs (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    created_time BIGINT NOT NULL,
    expires_time BIGINT NOT NULL
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_time);

-- What the person of a session has agreed to, by client; gone with the session.
CREATE TABLE consents (
    session TEXT NOT NULL REFERENCES sessions (hash) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES clients (client_id),
    scopes TEXT NOT NULL,
    PRIMARY KEY (session, client_id)
);
