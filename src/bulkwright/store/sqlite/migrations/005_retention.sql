-- How long things are kept: what the sweeps find their way by, and how far they have come.

-- When the result of a job was swept; the job itself is kept longer.
ALTER TABLE jobs ADD COLUMN result_swept INTEGER;

CREATE INDEX uploads_by_time ON uploads (created_time);
CREATE INDEX jobs_by_end ON jobs (finished_time) WHERE finished_time IS NOT NULL;
CREATE INDEX results_by_end ON jobs (finished_time) WHERE has_result = 1 AND result_swept IS NULL;
CREATE INDEX outbox_ended ON outbox (ended_time) WHERE ended_time IS NOT NULL;

-- The newest end of a job whose result is gone. Which job a record came from is told by results
-- alone: for records older than this it can no longer be told.
CREATE TABLE sweeps (
    what TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) WITHOUT ROWID;
