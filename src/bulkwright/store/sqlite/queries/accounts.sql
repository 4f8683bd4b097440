-- name: take_ids
-- Take :n consecutive ids and return the first.
UPDATE sequence SET next = next + :n WHERE name = 'id' RETURNING next - :n AS first

-- name: delete_oldest_children
-- Keep only the newest :keep access tokens of a refresh token (facts 7.2).
DELETE FROM tokens WHERE hash IN (
    SELECT hash FROM tokens WHERE parent = :hash AND kind = 'access'
    ORDER BY created_time DESC, hash LIMIT -1 OFFSET :keep)

-- name: surplus_refresh_tokens
-- The refresh tokens of a user and client without the newest :keep (facts 7.2).
SELECT hash FROM tokens WHERE kind = 'refresh' AND client_id = :client_id AND user_id = :user_id
ORDER BY created_time DESC, hash LIMIT -1 OFFSET :keep

-- name: delete_surplus_of_kind
-- Keep only the newest :keep tokens of a kind of a user and client that no refresh token gave.
DELETE FROM tokens WHERE hash IN (
    SELECT hash FROM tokens
    WHERE kind = :kind AND client_id = :client_id AND user_id = :user_id AND parent IS NULL
    ORDER BY created_time DESC, hash LIMIT -1 OFFSET :keep)

-- name: delete_surplus_sessions
-- Keep only the newest :keep sessions of a user.
DELETE FROM sessions WHERE hash IN (
    SELECT hash FROM sessions WHERE user_id = :user_id
    ORDER BY created_time DESC, hash LIMIT -1 OFFSET :keep)

-- name: delete_surplus_devices
-- Keep only the :keep devices of a user that were used last.
DELETE FROM devices WHERE user_id = :user_id AND hash IN (
    SELECT hash FROM devices WHERE user_id = :user_id
    ORDER BY last_used DESC, hash LIMIT -1 OFFSET :keep)

-- name: lock_kin
-- Lock a token and every token that was made from it, directly or not: first what others are
-- made from, so that no two transactions wait for each other. A
-- transaction locks the whole database, so no token can be made from them.
WITH RECURSIVE kin (hash) AS (
    SELECT hash FROM tokens WHERE hash = :hash
    UNION SELECT t.hash FROM tokens t JOIN kin ON t.parent = kin.hash)
SELECT hash FROM tokens WHERE hash IN (SELECT hash FROM kin)
ORDER BY CASE kind WHEN 'code' THEN 0 WHEN 'refresh' THEN 1 ELSE 2 END, hash

-- name: lock_tokens_of
-- Lock the tokens that `delete_tokens_of` deletes, in the same way.
SELECT hash FROM tokens
WHERE org_id = :org_id
  AND (CAST(:user_id AS BIGINT) IS NULL OR user_id = :user_id)
  AND (CAST(:client_id AS TEXT) IS NULL OR client_id = :client_id)
ORDER BY CASE kind WHEN 'code' THEN 0 WHEN 'refresh' THEN 1 ELSE 2 END, hash
