-- The rows of a resource are divided into parts. Each part has its own lease, fence, ledger and
-- counters, so that several processes work on one job. The counters of a resource are its columns,
-- which versions before this step filled, and the sums over its parts. On SQLite there is one part.
ALTER TABLE resources ADD COLUMN parts INTEGER;
ALTER TABLE resources ADD COLUMN split_by TEXT;
ALTER TABLE resources ADD COLUMN split_reason TEXT;
ALTER TABLE resources ADD COLUMN chunk_rows INTEGER;
ALTER TABLE resources ADD COLUMN chunk_bytes INTEGER;

CREATE TABLE parts (
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    resource INTEGER NOT NULL,
    part INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'OPEN',
    code TEXT,
    lease_token INTEGER NOT NULL DEFAULT 0,
    lease_holder TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    added INTEGER NOT NULL DEFAULT 0,
    updated INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    stray_quotes INTEGER NOT NULL DEFAULT 0,
    first_stray_quote INTEGER,
    PRIMARY KEY (job_id, resource, part)
) WITHOUT ROWID;

CREATE INDEX parts_open ON parts (job_id) WHERE status = 'OPEN';

CREATE TABLE ledger_of_parts (
    job_id INTEGER NOT NULL,
    resource INTEGER NOT NULL,
    part INTEGER NOT NULL DEFAULT 0,
    chunk INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    added INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    resume_text INTEGER NOT NULL,
    resume_row INTEGER NOT NULL,
    part_name TEXT NOT NULL,
    part_deflated INTEGER NOT NULL,
    part_plain INTEGER NOT NULL,
    part_crc INTEGER NOT NULL,
    PRIMARY KEY (job_id, resource, part, chunk)
) WITHOUT ROWID;

INSERT INTO ledger_of_parts (job_id, resource, chunk, first_row, row_count, added, updated, skipped,
                             resume_text, resume_row, part_name, part_deflated, part_plain,
                             part_crc)
SELECT job_id, resource, chunk, first_row, row_count, added, updated, skipped,
       resume_text, resume_row, part_name, part_deflated, part_plain, part_crc FROM ledger;

DROP TABLE ledger;

ALTER TABLE ledger_of_parts RENAME TO ledger;

-- The rows that were done when the job was claimed last: if there are more at the next claim, its
-- attempts are counted from 1 again.
ALTER TABLE jobs ADD COLUMN progress INTEGER NOT NULL DEFAULT 0;
