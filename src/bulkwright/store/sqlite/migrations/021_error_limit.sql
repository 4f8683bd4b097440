-- How many rows a job may skip before it ends: a number, or a percentage of the rows that it has done.
ALTER TABLE jobs ADD COLUMN stop_after INTEGER;
ALTER TABLE jobs ADD COLUMN stop_after_percent REAL;
-- Whether more of them were skipped. The transaction of the chunk that passes the limit sets it.
ALTER TABLE resources ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0;
