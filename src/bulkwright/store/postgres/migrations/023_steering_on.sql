-- Of the `updated` rows of a part, those whose records held their values already.
ALTER TABLE parts ADD COLUMN unchanged BIGINT NOT NULL DEFAULT 0;

-- Which rows of a chunk these are, as lengths of runs: of rows that are not, of rows that are, and so
-- on. A chunk without any has no entry.
CREATE TABLE unchanged_rows (
    job_id BIGINT NOT NULL,
    resource BIGINT NOT NULL,
    part BIGINT NOT NULL,
    chunk BIGINT NOT NULL,
    first_row BIGINT NOT NULL,
    runs TEXT NOT NULL,
    PRIMARY KEY (job_id, resource, part, chunk)
);

-- Whether nothing of a job stays unless all of its rows are stored, and the code with which it ends
-- as soon as what it has stored is undone.
ALTER TABLE jobs ADD COLUMN all_or_nothing BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE jobs ADD COLUMN ending TEXT;

-- Which jobs of an org are claimed first: 1 is high, -1 is low. The place in the queue is the time of
-- the creation, moved by the priority. Jobs that were open before this step come first.
ALTER TABLE jobs ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN queue_time BIGINT NOT NULL DEFAULT 0;

CREATE INDEX jobs_queue ON jobs (org_id, queue_time, id) WHERE status IN ('ADDED', 'INPROGRESS');
DROP INDEX jobs_open_by_org;

-- The chunk that has created a record: the one with the greatest first id that is not above its id.
CREATE INDEX ledger_by_first_id ON ledger (first_id) WHERE first_id IS NOT NULL;
