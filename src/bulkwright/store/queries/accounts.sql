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
-- Set the priority of an org: jobs of a higher one come first, orgs with the same one take turns.
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
-- One user of an org by the case-folded e-mail address.
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
-- Add the hash of a token or code with what it grants.
INSERT INTO tokens (hash, kind, org_id, user_id, client_id, scopes, redirect_uri, parent,
                    created_time, expires_time, code_challenge, offline)
VALUES (:hash, :kind, :org_id, :user_id, :client_id, :scopes, :redirect_uri, :parent,
        :created_time, :expires_time, :code_challenge, :offline)

-- name: token
-- One token or code by its hash, with the role of its user.
SELECT t.*, u.profile FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = :hash

-- name: use_code
-- Mark a code as used; returns no row if it was used before.
UPDATE tokens SET used = TRUE WHERE hash = :hash AND kind = 'code' AND NOT used RETURNING hash

-- name: delete_token
-- Delete a token.
DELETE FROM tokens WHERE hash = :hash

-- name: delete_children
-- Delete every token that was made from this one, directly or not.
WITH RECURSIVE kin (hash) AS (
    SELECT hash FROM tokens WHERE parent = :hash
    UNION SELECT t.hash FROM tokens t JOIN kin ON t.parent = kin.hash)
DELETE FROM tokens WHERE hash IN (SELECT hash FROM kin)

-- name: delete_expired_tokens
-- Delete tokens and codes that expired before :before.
DELETE FROM tokens WHERE expires_time < :before
