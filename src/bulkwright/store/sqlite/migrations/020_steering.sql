-- The time at which the abort of a job was requested: no row of it is stored afterwards.
ALTER TABLE jobs ADD COLUMN abort_time INTEGER;
-- The jobs that use an upload, without reading all jobs.
CREATE INDEX resources_by_file ON resources (file_id);
-- Whether a job stores nothing: its result is that of a run that was undone.
ALTER TABLE jobs ADD COLUMN dry INTEGER NOT NULL DEFAULT 0;
