-- The rows of a resource are divided into parts. Each part has its own lease, fence, ledger and
-- counters, so that several processes work on one job. The counters of a resource are its columns,
-- which versions before this step filled, and the sums over its parts.
ALTER TABLE resources ADD COLUMN parts BIGINT;
ALTER TABLE resources ADD COLUMN split_by TEXT;
ALTER TABLE resources ADD COLUMN split_reason TEXT;
ALTER TABLE resources ADD COLUMN chunk_rows BIGINT;
ALTER TABLE resources ADD COLUMN chunk_bytes BIGINT;

CREATE TABLE parts (
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    resource BIGINT NOT NULL,
    part BIGINT NOT NULL,
    status TEXT NOT NULL DEFAULT 'OPEN',
    code TEXT,
    lease_token BIGINT NOT NULL DEFAULT 0,
    lease_holder TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    added BIGINT NOT NULL DEFAULT 0,
    updated BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    stray_quotes BIGINT NOT NULL DEFAULT 0,
    first_stray_quote BIGINT,
    PRIMARY KEY (job_id, resource, part)
);

CREATE INDEX parts_open ON parts (job_id) WHERE status = 'OPEN';

-- A chunk's transaction reads and changes its records, its ledger row and its part's row only, so
-- the ledger does not refer to the row of the job.
ALTER TABLE ledger ADD COLUMN part BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ledger DROP CONSTRAINT ledger_job_id_fkey;
ALTER TABLE ledger DROP CONSTRAINT ledger_pkey;
ALTER TABLE ledger ADD PRIMARY KEY (job_id, resource, part, chunk);

-- The rows that were done when the job was claimed last: if there are more at the next claim, its
-- attempts are counted from 1 again.
ALTER TABLE jobs ADD COLUMN progress BIGINT NOT NULL DEFAULT 0;
