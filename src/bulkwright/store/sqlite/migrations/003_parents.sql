-- Jobs with a parent and children: which record each row of the parent's CSV became, by the text of
-- the columns that children point to. Filled in the parent's chunks, dropped when the job ends.

CREATE TABLE parents (
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    column_index INTEGER NOT NULL,
    key TEXT NOT NULL,
    record_id INTEGER NOT NULL,
    PRIMARY KEY (job_id, column_index, key, record_id)
) WITHOUT ROWID;
