-- When a chunk was committed: how fast a job was, at each time. Null for chunks of older versions.
ALTER TABLE ledger ADD COLUMN committed_time BIGINT;
-- The audit log of one org, newest first.
CREATE INDEX audit_by_org ON audit (org_id, id);
