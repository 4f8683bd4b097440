-- name: add_org
-- Add an org.
INSERT INTO orgs (id, record_id, company_name, time_zone, currency, created_time)
VALUES (:id, :record_id, :company_name, :time_zone, :currency, :created_time)

-- name: org
-- One org by its zgid.
SELECT * FROM orgs WHERE id = :id

-- name: orgs
-- Every org, oldest first.
SELECT * FROM orgs ORDER BY created_time, id

-- name: set_priority
-- Orgs with a higher priority go first; those that share one take turns.
UPDATE orgs SET priority = :priority WHERE id = :id

-- name: add_user
-- Add a user to an org.
INSERT INTO users (id, org_id, first_name, last_name, email, email_key, time_zone, created_time,
                   profile)
VALUES (:id, :org_id, :first_name, :last_name, :email, :email_key, :time_zone, :created_time,
        :profile)

-- name: user
-- One user of an org.
SELECT * FROM users WHERE org_id = :org_id AND id = :id

-- name: user_by_email
-- One user of an org by the folded e-mail address.
SELECT * FROM users WHERE org_id = :org_id AND email_key = :email_key

-- name: users
-- The users of an org, oldest first.
SELECT * FROM users WHERE org_id = :org_id ORDER BY id

-- name: add_client
-- Register an OAuth client.
INSERT INTO clients (client_id, org_id, user_id, kind, name, secret_hash, redirect_uris)
VALUES (:client_id, :org_id, :user_id, :kind, :name, :secret_hash, :redirect_uris)

-- name: client
-- One OAuth client by its public id.
SELECT * FROM clients WHERE client_id = :client_id

-- name: clients
-- The OAuth clients of an org.
SELECT * FROM clients WHERE org_id = :org_id ORDER BY client_id

-- name: add_token
-- Keep the hash of a token or code with what it grants.
INSERT INTO tokens (hash, kind, org_id, user_id, client_id, scopes, redirect_uri, parent,
                    created_time, expires_time, code_challenge, offline)
VALUES (:hash, :kind, :org_id, :user_id, :client_id, :scopes, :redirect_uri, :parent,
        :created_time, :expires_time, :code_challenge, :offline)

-- name: token
-- One token or code by its hash, with what its user may do.
SELECT t.*, u.profile FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = :hash

-- name: use_code
-- Mark a code as used; no row comes back when somebody was faster.
UPDATE tokens SET used = TRUE WHERE hash = :hash AND kind = 'code' AND NOT used RETURNING hash

-- name: drop_token
-- Forget a token.
DELETE FROM tokens WHERE hash = :hash

-- name: drop_children
-- Forget every token that came from this one, at first or second hand.
WITH RECURSIVE kin (hash) AS (
    SELECT hash FROM tokens WHERE parent = :hash
    UNION SELECT t.hash FROM tokens t JOIN kin ON t.parent = kin.hash)
DELETE FROM tokens WHERE hash IN (SELECT hash FROM kin)

-- name: drop_expired
-- Forget tokens and codes that ran out before :before.
DELETE FROM tokens WHERE expires_time < :before
