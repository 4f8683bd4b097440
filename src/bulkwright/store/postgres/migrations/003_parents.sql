-- Jobs with a parent and children: which record each row of the parent's CSV became, by the text of
-- the columns that children point to. Filled in the parent's chunks, dropped when the job ends.

CREATE TABLE parents (
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    column_index BIGINT NOT NULL,
    key TEXT NOT NULL,
    record_id BIGINT NOT NULL,
    PRIMARY KEY (job_id, column_index, key, record_id)
);
