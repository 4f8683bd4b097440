-- name: take_ids
-- Take :n consecutive ids and return the first; a rollback does not return them.
SELECT take_ids(:n) AS first

-- name: delete_oldest_children
-- Keep only the newest :keep access tokens of a refresh token (facts 7.2).
DELETE FROM tokens WHERE hash IN (
    SELECT hash FROM tokens WHERE parent = :hash AND kind = 'access'
    ORDER BY created_time DESC, hash OFFSET :keep)

-- name: surplus_refresh_tokens
-- The refresh tokens of a user and client without the newest :keep (facts 7.2).
SELECT hash FROM tokens WHERE kind = 'refresh' AND client_id = :client_id AND user_id = :user_id
ORDER BY created_time DESC, hash OFFSET :keep
