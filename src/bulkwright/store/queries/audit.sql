-- name: add_audit_entry
-- Add an entry to the audit log.
INSERT INTO audit (time, action, org_id, user_id, client_id, address, operator, detail)
VALUES (:time, :action, :org_id, :user_id, :client_id, :address, :operator, :detail)

-- name: audit_entries
-- The newest :most entries since :since, of one org or action if one is given, newest first.
SELECT * FROM audit
WHERE time >= :since
  AND (CAST(:org_id AS BIGINT) IS NULL OR org_id = :org_id)
  AND (CAST(:action AS TEXT) IS NULL OR action = :action)
ORDER BY time DESC, id DESC LIMIT :most

-- name: audit_entries_of_org
-- The newest :most entries of an org, of one action if one is given, before the id :before.
SELECT * FROM audit
WHERE org_id = :org_id
  AND (CAST(:before AS BIGINT) IS NULL OR id < :before)
  AND (CAST(:action AS TEXT) IS NULL OR action = :action)
ORDER BY id DESC LIMIT :most
