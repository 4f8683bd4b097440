-- name: add_org
-- Add an org.
INSERT INTO orgs (id, record_id, company_name, time_zone, currency, created_time, dev)
VALUES (:id, :record_id, :company_name, :time_zone, :currency, :created_time, :dev)

-- name: org
-- One org by its zgid.
SELECT * FROM orgs WHERE id = :id

-- name: orgs
-- Every org, oldest first.
SELECT * FROM orgs ORDER BY created_time, id

-- name: set_priority
-- Set the priority of an org: jobs of a higher one come first, orgs with the same one take turns.
UPDATE orgs SET priority = :priority WHERE id = :id

-- name: set_org_state
-- Activate or deactivate an org.
UPDATE orgs SET state = :state WHERE id = :id

-- name: adopt_org
-- Make an org that `serve --dev` made one like others.
UPDATE orgs SET dev = FALSE WHERE id = :id

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
-- One user of an org by the case-folded e-mail address.
SELECT * FROM users WHERE org_id = :org_id AND email_key = :email_key

-- name: users
-- The users of an org that were not removed, oldest first.
SELECT * FROM users WHERE org_id = :org_id AND state <> 'removed' ORDER BY id

-- name: set_user_state
-- Activate or deactivate a user.
UPDATE users SET state = :state WHERE org_id = :org_id AND id = :id

-- name: erase_user
-- Remove a user: jobs and records name the id, so the row stays, without name and e-mail.
UPDATE users SET state = 'removed', first_name = '', last_name = '', email = '',
                 email_key = 'removed ' || CAST(id AS TEXT)
WHERE org_id = :org_id AND id = :id

-- name: add_client
-- Register an OAuth client.
INSERT INTO clients (client_id, org_id, user_id, kind, name, secret_hash, redirect_uris)
VALUES (:client_id, :org_id, :user_id, :kind, :name, :secret_hash, :redirect_uris)

-- name: client
-- One OAuth client by its public id, with the state of its org.
SELECT c.*, o.state AS org_state FROM clients c JOIN orgs o ON o.id = c.org_id
WHERE c.client_id = :client_id

-- name: clients
-- The OAuth clients of an org, with the state of the org.
SELECT c.*, o.state AS org_state FROM clients c JOIN orgs o ON o.id = c.org_id
WHERE c.org_id = :org_id ORDER BY c.client_id

-- name: set_client_state
-- Activate or deactivate an OAuth client.
UPDATE clients SET state = :state WHERE client_id = :client_id

-- name: set_client_secret
-- Set the hash of a client's secret, in place of the old one.
UPDATE clients SET secret_hash = :secret_hash WHERE client_id = :client_id

-- name: delete_consents_of_client
-- Delete the consents to an OAuth client.
DELETE FROM consents WHERE client_id = :client_id

-- name: delete_client
-- Delete an OAuth client, whose tokens and consents are gone.
DELETE FROM clients WHERE client_id = :client_id

-- name: add_token
-- Add the hash of a token or code with what it grants.
INSERT INTO tokens (hash, kind, org_id, user_id, client_id, scopes, redirect_uri, parent,
                    created_time, expires_time, code_challenge, offline, last_used)
VALUES (:hash, :kind, :org_id, :user_id, :client_id, :scopes, :redirect_uri, :parent,
        :created_time, :expires_time, :code_challenge, :offline, :last_used)

-- name: token
-- One token or code by its hash, with the role of its user; none if its user, its client or its org
-- is not active.
SELECT t.hash, t.kind, t.org_id, t.user_id, t.client_id, t.scopes, t.expires_time, t.redirect_uri,
       t.parent, t.code_challenge, t.offline, t.last_used, u.profile
FROM tokens t
JOIN users u ON u.id = t.user_id AND u.state = 'active'
JOIN clients c ON c.client_id = t.client_id AND c.state = 'active'
JOIN orgs o ON o.id = t.org_id AND o.state = 'active'
WHERE t.hash = :hash

-- name: tokens
-- The tokens and unused codes of an org, of one user or client if one is given, newest first.
SELECT t.*, u.profile FROM tokens t JOIN users u ON u.id = t.user_id
WHERE t.org_id = :org_id AND NOT t.used
  AND (CAST(:user_id AS BIGINT) IS NULL OR t.user_id = :user_id)
  AND (CAST(:client_id AS TEXT) IS NULL OR t.client_id = :client_id)
  AND (t.expires_time IS NULL OR t.expires_time > :moment)
ORDER BY t.created_time DESC, t.hash

-- name: token_by_start
-- The tokens of an org whose hash starts with :start. No hexadecimal digit is greater than f.
SELECT hash FROM tokens WHERE org_id = :org_id AND hash >= :start AND hash < CAST(:start AS TEXT) || 'g'

-- name: delete_tokens_of
-- Delete the tokens of an org, of one user or client if one is given.
DELETE FROM tokens
WHERE org_id = :org_id
  AND (CAST(:user_id AS BIGINT) IS NULL OR user_id = :user_id)
  AND (CAST(:client_id AS TEXT) IS NULL OR client_id = :client_id)
RETURNING hash

-- name: renew_token
-- Let a token expire at :expires, if it would before :soon.
UPDATE tokens SET expires_time = :expires WHERE hash = :hash AND expires_time < :soon

-- name: use_code
-- Mark a code as used; returns no row if it was used before. It is remembered until
-- `delete_forgotten_codes`, so that its next use revokes what it gave.
UPDATE tokens SET used = TRUE, expires_time = NULL
WHERE hash = :hash AND kind = 'code' AND NOT used RETURNING hash

-- name: use_refresh_token
-- Record the use of a refresh token; returns no row if it was deleted, even a moment before.
UPDATE tokens SET last_used = :moment WHERE hash = :hash RETURNING hash

-- name: delete_token
-- Delete a token.
DELETE FROM tokens WHERE hash = :hash

-- name: delete_children
-- Delete every token that was made from this one, directly or not.
WITH RECURSIVE kin (hash) AS (
    SELECT hash FROM tokens WHERE parent = :hash
    UNION SELECT t.hash FROM tokens t JOIN kin ON t.parent = kin.hash)
DELETE FROM tokens WHERE hash IN (SELECT hash FROM kin)
