-- name: add_job
-- Add a job.
INSERT INTO jobs (id, org_id, user_id, user_name, operation, created_time, time_zone, status,
                  character_encoding, ignore_empty, callback_url, fingerprint, version,
                  stop_after, stop_after_percent, dry, priority, queue_time,
                  all_or_nothing)
VALUES (:id, :org_id, :user_id, :user_name, :operation, :created_time, :time_zone, 'ADDED',
        :character_encoding, :ignore_empty, :callback_url, :fingerprint, :version,
        :stop_after, :stop_after_percent, :dry, :priority, :queue_time, :all_or_nothing)

-- name: add_resource
-- Add one resource of a job.
INSERT INTO resources (job_id, position, module, module_id, file_id, file_name, find_by,
                       ignore_empty, auto_mapped, mappings, reading, status)
VALUES (:job_id, :position, :module, :module_id, :file_id, :file_name, :find_by,
        :ignore_empty, :auto_mapped, :mappings, :reading, 'INPROGRESS')

-- name: job
-- One job of an org: a row for each of its resources.
SELECT j.*, r.position, r.module, r.module_id, r.file_id, r.find_by,
       r.ignore_empty AS resource_ignore_empty, r.auto_mapped, r.mappings,
       r.status AS resource_status, r.code AS resource_code, r.file_name, r.reading,
       r.parts, r.split_by, r.split_reason, r.chunk_rows, r.chunk_bytes, r.images, r.stopped,
       r.added + coalesce(p.added, 0) AS added, r.updated + coalesce(p.updated, 0) AS updated,
       r.skipped + coalesce(p.skipped, 0) AS skipped,
       coalesce(p.unchanged, 0) AS unchanged,
       (SELECT max(u.job_id) FROM undos u WHERE u.undone_id = j.id AND NOT u.dry_run) AS undo_id,
       coalesce(p.stray_quotes, 0) AS stray_quotes, p.first_stray_quote
FROM jobs j JOIN resources r ON r.job_id = j.id
LEFT JOIN (SELECT resource, CAST(sum(added) AS bigint) AS added,
                  CAST(sum(updated) AS bigint) AS updated, CAST(sum(skipped) AS bigint) AS skipped,
                  CAST(sum(unchanged) AS bigint) AS unchanged,
                  CAST(sum(stray_quotes) AS bigint) AS stray_quotes,
                  min(first_stray_quote) AS first_stray_quote
           FROM parts WHERE job_id = :id GROUP BY resource) p ON p.resource = r.position
WHERE j.id = :id AND j.org_id = :org_id
ORDER BY r.position

-- name: newest_job_ids
-- The ids of the newest :most jobs of an org.
SELECT id FROM jobs WHERE org_id = :org_id ORDER BY id DESC LIMIT :most

-- name: job_ids
-- The ids of the newest :most bulk writes of an org; a condition that is null matches each of them.
SELECT j.id FROM jobs j
WHERE j.org_id = :org_id AND j.operation NOT IN ('read', 'undo')
  AND (CAST(:before AS bigint) IS NULL OR j.id < :before)
  AND (CAST(:status AS text) IS NULL OR j.status = :status)
  AND (CAST(:operation AS text) IS NULL OR j.operation = :operation)
  AND (CAST(:user_id AS bigint) IS NULL OR j.user_id = :user_id)
  AND (CAST(:since AS bigint) IS NULL OR j.created_time >= :since)
  AND (CAST(:until AS bigint) IS NULL OR j.created_time < :until)
  AND (CAST(:module AS text) IS NULL
       OR EXISTS (SELECT 1 FROM resources r WHERE r.job_id = j.id AND r.module = :module))
  AND (CAST(:file AS text) IS NULL
       OR EXISTS (SELECT 1 FROM resources r
                  WHERE r.job_id = j.id AND lower(r.file_name) LIKE lower(:file) ESCAPE '!'))
ORDER BY j.id DESC LIMIT :most

-- name: job_by_fingerprint
-- The job of an embedded run with this fingerprint whose end was not reported yet.
SELECT id FROM jobs WHERE org_id = :org_id AND fingerprint = :fingerprint ORDER BY id LIMIT 1

-- name: last_job_of_file
-- The newest job that wrote a file of the same content into a module.
SELECT j.id FROM uploads u
JOIN uploads o ON o.org_id = u.org_id AND o.sha256 = u.sha256 AND o.id <> u.id
JOIN resources r ON r.file_id = o.id AND r.module = :module
JOIN jobs j ON j.id = r.job_id AND j.org_id = u.org_id AND NOT j.dry
WHERE u.org_id = :org_id AND u.id = :file_id
ORDER BY j.id DESC LIMIT 1

-- name: clear_fingerprint
-- Clear the fingerprint of a job, because its end was reported.
UPDATE jobs SET fingerprint = NULL WHERE id = :id

-- name: jobs_before
-- How many jobs of an org that were not begun come before one in its queue.
SELECT count(*) AS jobs FROM jobs
WHERE org_id = :org_id AND status = 'ADDED'
  AND (queue_time < :queue_time OR (queue_time = :queue_time AND id < :id))

-- name: open_jobs_of_org
-- How many jobs of an org have not ended; at most :most are counted.
SELECT count(*) AS jobs
FROM (SELECT id FROM jobs WHERE org_id = :org_id AND status IN ('ADDED', 'INPROGRESS')
      LIMIT :most) open
