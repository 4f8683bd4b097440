-- name: add_upload
-- Acknowledge an upload.
INSERT INTO uploads (id, org_id, user_id, name, bytes, sha256, created_time, csv, problem)
VALUES (:id, :org_id, :user_id, :name, :bytes, :sha256, :created_time, :csv, :problem)

-- name: upload
-- One upload of an org.
SELECT * FROM uploads WHERE org_id = :org_id AND id = :id

-- name: add_job
-- Add a job.
INSERT INTO jobs (id, org_id, user_id, user_name, operation, created_time, time_zone, status,
                  character_encoding, ignore_empty, callback_url, fingerprint, version)
VALUES (:id, :org_id, :user_id, :user_name, :operation, :created_time, :time_zone, 'ADDED',
        :character_encoding, :ignore_empty, :callback_url, :fingerprint, :version)

-- name: add_resource
-- Add one resource of a job.
INSERT INTO resources (job_id, position, module, module_id, file_id, file_name, find_by,
                       ignore_empty, auto_mapped, mappings, status)
VALUES (:job_id, :position, :module, :module_id, :file_id, :file_name, :find_by,
        :ignore_empty, :auto_mapped, :mappings, 'INPROGRESS')

-- name: job
-- One job of an org, a row for each of its resources.
SELECT j.*, r.position, r.module, r.module_id, r.file_id, r.find_by,
       r.ignore_empty AS resource_ignore_empty, r.auto_mapped, r.mappings,
       r.status AS resource_status, r.code AS resource_code, r.file_name,
       r.added, r.updated, r.skipped
FROM jobs j JOIN resources r ON r.job_id = j.id
WHERE j.id = :id AND j.org_id = :org_id
ORDER BY r.position

-- name: job_ids
-- The newest :most jobs of an org.
SELECT id FROM jobs WHERE org_id = :org_id ORDER BY id DESC LIMIT :most

-- name: job_by_fingerprint
-- The job that an embedded run with this fingerprint began and has not told the end of.
SELECT id FROM jobs WHERE org_id = :org_id AND fingerprint = :fingerprint ORDER BY id LIMIT 1

-- name: forget_fingerprint
-- The end of the job was told.
UPDATE jobs SET fingerprint = NULL WHERE id = :id

-- name: serve_org
-- A job of this org was claimed: others have their turn before its next one.
UPDATE orgs SET served_time = :now WHERE id = :id

-- name: end_leases
-- A worker is known to be dead: its claims are void at once. Its attempts still count.
UPDATE jobs SET lease_until = 0
WHERE lease_holder = :holder AND status = 'INPROGRESS' AND lease_until > 0

-- name: lease_holders
-- The workers that have claimed jobs which have not ended.
SELECT DISTINCT lease_holder FROM jobs WHERE status = 'INPROGRESS' AND lease_until > 0

-- name: lease_holder
-- Who holds a job.
SELECT lease_holder FROM jobs WHERE id = :id

-- name: set_encoding
-- The character encoding that the job uses.
UPDATE jobs SET character_encoding = :encoding WHERE id = :id

-- name: add_ledger
-- Enter a chunk into the ledger.
INSERT INTO ledger (job_id, resource, chunk, first_row, row_count, added, updated, skipped,
                    resume_text, resume_row, part_name, part_deflated, part_plain, part_crc)
VALUES (:job_id, :resource, :chunk, :first_row, :row_count, :added, :updated, :skipped,
        :resume_text, :resume_row, :part_name, :part_deflated, :part_plain, :part_crc)

-- name: progress_job
-- A chunk was entered into the ledger: attempts count anew.
UPDATE jobs SET attempts = 0 WHERE id = :id AND attempts > 0

-- name: count_rows
-- Add a chunk's outcomes to its resource.
UPDATE resources SET added = added + :added, updated = updated + :updated,
                     skipped = skipped + :skipped
WHERE job_id = :job_id AND position = :position

-- name: ledger
-- The committed chunks of a resource in file order.
SELECT * FROM ledger WHERE job_id = :job_id AND resource = :resource ORDER BY chunk

-- name: finish_job
-- Set a job's final status; no row comes back when the claim was lost.
UPDATE jobs SET status = :status, code = :code, has_result = :has_result,
                result_sha256 = :result_sha256, lease_until = 0, finished_time = :now
WHERE id = :id AND lease_token = :token AND status = 'INPROGRESS' RETURNING org_id, callback_url

-- name: finish_resources
-- Set the final status of a job's resources.
UPDATE resources SET status = :status, code = :code WHERE job_id = :id
