-- name: add_ledger_entry
-- Add a chunk to the ledger of a part.
INSERT INTO ledger (job_id, resource, part, chunk, first_row, row_count, added, updated, skipped,
                    resume_text, resume_row, part_name, part_deflated, part_plain, part_crc)
VALUES (:job_id, :resource, :part, :chunk, :first_row, :row_count, :added, :updated, :skipped,
        :resume_text, :resume_row, :piece_name, :piece_deflated, :piece_plain, :piece_crc)

-- name: ledger_entries
-- The committed chunks of a part, in file order.
SELECT * FROM ledger WHERE job_id = :job_id AND resource = :resource AND part = :part ORDER BY chunk
