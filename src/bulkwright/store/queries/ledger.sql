-- name: add_ledger_entry
-- Add a chunk to the ledger.
INSERT INTO ledger (job_id, resource, chunk, first_row, row_count, added, updated, skipped,
                    resume_text, resume_row, part_name, part_deflated, part_plain, part_crc)
VALUES (:job_id, :resource, :chunk, :first_row, :row_count, :added, :updated, :skipped,
        :resume_text, :resume_row, :part_name, :part_deflated, :part_plain, :part_crc)

-- name: reset_attempts
-- Count the attempts from 0 again, because the job has progressed.
UPDATE jobs SET attempts = 0 WHERE id = :id AND attempts > 0

-- name: add_counts
-- Add the counts of a chunk to its resource.
UPDATE resources SET added = added + :added, updated = updated + :updated,
                     skipped = skipped + :skipped
WHERE job_id = :job_id AND position = :position

-- name: reading
-- How the file of a resource is read.
SELECT reading FROM resources WHERE job_id = :job_id AND position = :position

-- name: set_reading
-- Set how the file of a resource is read, after a chunk with stray quotes.
UPDATE resources SET reading = :reading WHERE job_id = :job_id AND position = :position

-- name: ledger_entries
-- The committed chunks of a resource, in file order.
SELECT * FROM ledger WHERE job_id = :job_id AND resource = :resource ORDER BY chunk
