-- name: add_parents
-- Add which records the rows of the parent's CSV with these texts became.
INSERT INTO parents (job_id, column_index, key, record_id)
SELECT :job_id, :column_index, key, id
FROM unnest(CAST(:keys AS text[]), CAST(:ids AS bigint[])) AS known (key, id)
ON CONFLICT DO NOTHING

-- name: find_parents
-- The records that the parent's rows with these texts became, as lines of position and id. Two are
-- enough to know that there are several.
SELECT string_agg(k.at - 1 || ',' || p.record_id, E'\n') AS lines
FROM unnest(CAST(:keys AS text[])) WITH ORDINALITY AS k (key, at)
CROSS JOIN LATERAL (SELECT record_id FROM parents
                    WHERE job_id = :job_id AND column_index = :column_index AND key = k.key
                    LIMIT 2) p
