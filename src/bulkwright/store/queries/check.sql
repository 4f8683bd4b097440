-- name: mark_reported
-- Record that a result line reports this record as added; nothing changes if another line did.
INSERT INTO reported (module, id, job_id) VALUES (:module, :id, :job_id) ON CONFLICT DO NOTHING

-- name: forget_reported
-- Delete what was recorded of the lines of a job.
DELETE FROM reported WHERE job_id = :job_id

-- name: name_record
-- Add a record that a line of the current chunk names.
INSERT INTO named (id) VALUES (:id) ON CONFLICT DO NOTHING

-- name: forget_named
-- Delete the records that the current chunk named.
DELETE FROM named

-- name: swept_until
-- The latest end of a job whose result was swept.
SELECT until FROM sweeps WHERE what = 'results'

-- name: jobs_after
-- The next :most jobs of all orgs, in the order of their ids.
SELECT id FROM jobs WHERE id > :after ORDER BY id LIMIT :most

-- name: any_job
-- One job of any org.
SELECT id, org_id, operation, status, character_encoding, has_result, result_swept, result_sha256,
       dry
FROM jobs WHERE id = :id

-- name: resources_of
-- The resources of a job.
SELECT r.position, r.module, r.module_id, r.file_id, r.file_name, r.status, r.parts,
       r.added + coalesce(p.added, 0) AS added, r.updated + coalesce(p.updated, 0) AS updated,
       r.skipped + coalesce(p.skipped, 0) AS skipped
FROM resources r
LEFT JOIN (SELECT resource, CAST(sum(added) AS bigint) AS added,
                  CAST(sum(updated) AS bigint) AS updated, CAST(sum(skipped) AS bigint) AS skipped
           FROM parts WHERE job_id = :id GROUP BY resource) p ON p.resource = r.position
WHERE r.job_id = :id ORDER BY r.position

-- name: uploads_after
-- The next :most uploads of all orgs, and whether an unfinished job needs them.
SELECT id, bytes, sha256,
       id IN (SELECT r.file_id FROM jobs j CROSS JOIN resources r
              WHERE r.job_id = j.id AND j.status IN ('ADDED', 'INPROGRESS')) AS needed
FROM uploads WHERE id > :after ORDER BY id LIMIT :most
