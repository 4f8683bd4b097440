-- name: tell
-- A line says that this job added this record; nothing changes when another line said so.
INSERT INTO told (module, id, job_id) VALUES (:module, :id, :job_id) ON CONFLICT DO NOTHING

-- name: untell
-- Forget what the lines of a job have said.
DELETE FROM told WHERE job_id = :job_id

-- name: name_record
-- A line of the chunk at hand names this record.
INSERT INTO named (id) VALUES (:id) ON CONFLICT DO NOTHING

-- name: forget_named
-- The chunk at hand is done.
DELETE FROM named

-- name: swept_until
-- The newest end of a job whose result is gone.
SELECT until FROM sweeps WHERE what = 'results'

-- name: jobs_after
-- The next :most jobs of all orgs, in the order in which they were asked for.
SELECT id FROM jobs WHERE id > :after ORDER BY id LIMIT :most

-- name: any_job
-- One job of whatever org.
SELECT id, org_id, status, character_encoding, has_result, result_swept, result_sha256
FROM jobs WHERE id = :id

-- name: resources_of
-- The resources of a job.
SELECT position, module, module_id, file_id, file_name, added, updated, skipped
FROM resources WHERE job_id = :id ORDER BY position

-- name: uploads_after
-- The next :most uploads of all orgs, and whether an unfinished job needs them.
SELECT id, bytes, sha256,
       id IN (SELECT r.file_id FROM jobs j CROSS JOIN resources r
              WHERE r.job_id = j.id AND j.status IN ('ADDED', 'INPROGRESS')) AS needed
FROM uploads WHERE id > :after ORDER BY id LIMIT :most
