-- A fingerprint stays until whoever began the job was told its end: a run that is killed in between
-- finds the job again instead of beginning it anew. Ends from before this step were told.
UPDATE jobs SET fingerprint = NULL WHERE status IN ('COMPLETED', 'FAILED');

CREATE INDEX jobs_by_fingerprint ON jobs (org_id, fingerprint) WHERE fingerprint IS NOT NULL;
