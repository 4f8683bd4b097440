-- The undo of a job. Its job is a row of `jobs` with the operation `undo` and a part with its counters:
-- records that were removed are `added`, restored ones `updated`, kept ones `skipped`.
CREATE TABLE undos (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (id),
    undone_id INTEGER NOT NULL,
    dry_run INTEGER NOT NULL
);

CREATE INDEX undos_by_undone ON undos (undone_id);

-- The columns of which a job keeps the former values (a JSON array); null if it keeps none.
ALTER TABLE resources ADD COLUMN images TEXT;

CREATE INDEX resources_with_images ON resources (job_id) WHERE images IS NOT NULL;

-- The first of the consecutive ids of the records that a chunk has created.
ALTER TABLE ledger ADD COLUMN first_id INTEGER;

-- Images of records that are not needed any more and not deleted yet.
CREATE TABLE unneeded_images (
    job_id INTEGER NOT NULL,
    module TEXT NOT NULL,
    org_id INTEGER NOT NULL,
    PRIMARY KEY (job_id, module)
);
