-- Whose turn it is: among orgs of one priority, the one that was served least lately.
ALTER TABLE orgs ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orgs ADD COLUMN served_time BIGINT NOT NULL DEFAULT 0;

CREATE INDEX jobs_open_by_org ON jobs (org_id, id) WHERE status IN ('ADDED', 'INPROGRESS');
DROP INDEX jobs_open;
