-- name: add_ledger_entry
-- Add a chunk to the ledger of a part.
INSERT INTO ledger (job_id, resource, part, chunk, first_row, row_count, added, updated, skipped,
                    resume_text, resume_row, part_name, part_deflated, part_plain, part_crc,
                    first_id, committed_time)
VALUES (:job_id, :resource, :part, :chunk, :first_row, :row_count, :added, :updated, :skipped,
        :resume_text, :resume_row, :piece_name, :piece_deflated, :piece_plain, :piece_crc,
        :first_id, :committed_time)

-- name: ledger_times
-- When the first and the last chunk of a job were committed.
SELECT min(committed_time) AS first, max(committed_time) AS last
FROM ledger WHERE job_id = :job_id AND part >= 0

-- name: ledger_commits
-- How many rows of a job were committed in each span of :span microseconds after :begun, and when last.
SELECT max(committed_time) AS moment, sum(added + updated + skipped) AS row_count
FROM ledger WHERE job_id = :job_id AND part >= 0 AND committed_time IS NOT NULL
GROUP BY (committed_time - :begun) / :span ORDER BY 1

-- name: replace_ledger_entry
-- Set which lines a chunk of a part has, and how many rows have which outcome. No record that it has
-- created remains to be removed.
UPDATE ledger SET added = :added, updated = :updated, part_name = :piece_name,
                  part_deflated = :piece_deflated, part_plain = :piece_plain, part_crc = :piece_crc,
                  first_id = NULL
WHERE job_id = :job_id AND resource = :resource AND part = :part AND chunk = :chunk

-- name: forget_stored_rows
-- Set that no row of a job is stored.
UPDATE ledger SET added = 0, updated = 0, first_id = NULL WHERE job_id = :job_id

-- name: delete_merged
-- Delete the merged chunks of a job from its ledger.
DELETE FROM ledger WHERE job_id = :id AND part = -1

-- name: ledger_entries
-- The committed chunks of a part, in file order, from the chunk :first on.
SELECT * FROM ledger
WHERE job_id = :job_id AND resource = :resource AND part = :part AND chunk >= :first
ORDER BY chunk

-- name: unprocessed_rows
-- How many rows the result of a job lists as UNPROCESSED. Of a divided resource, merged chunks count.
SELECT CAST(coalesce(sum(l.row_count - l.added - l.updated - l.skipped), 0) AS bigint) AS row_count
FROM ledger l JOIN resources r ON r.job_id = l.job_id AND r.position = l.resource
WHERE l.job_id = :job_id AND l.part = CASE WHEN r.parts > 1 THEN -1 ELSE 0 END

-- name: add_unreached_rows
-- Add the rows that a dry run has not reached, as a chunk without lines. Its ledger has no other chunk.
INSERT INTO ledger (job_id, resource, part, chunk, first_row, row_count, added, updated, skipped,
                    resume_text, resume_row, part_name, part_deflated, part_plain, part_crc)
VALUES (:job_id, 0, 0, 0, 0, :row_count, 0, 0, 0, 0, 0, '', 0, 0, 0)

-- name: ledger_count
-- How many chunks of a part are committed.
SELECT count(*) AS chunks FROM ledger
WHERE job_id = :job_id AND resource = :resource AND part = :part
