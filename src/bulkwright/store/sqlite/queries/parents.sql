-- name: add_parent
-- Add which record a row of the parent's CSV with this text became.
INSERT OR IGNORE INTO parents (job_id, column_index, key, record_id)
VALUES (:job_id, :column_index, :key, :record_id)

-- name: find_parent
-- The records that the parent's rows with this text became, with the number :at of the text. Two
-- are enough to know that there are several.
SELECT :at AS at, record_id AS id FROM parents
WHERE job_id = :job_id AND column_index = :column_index AND key = :key
LIMIT 2
