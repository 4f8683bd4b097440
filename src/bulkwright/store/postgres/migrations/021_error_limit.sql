-- How many rows a job may skip before it ends: a number, or a percentage of the rows that it has done.
ALTER TABLE jobs ADD COLUMN stop_after BIGINT;
ALTER TABLE jobs ADD COLUMN stop_after_percent DOUBLE PRECISION;
-- Whether more of them were skipped. The transaction of the chunk that passes the limit sets it.
ALTER TABLE resources ADD COLUMN stopped BIGINT NOT NULL DEFAULT 0;
