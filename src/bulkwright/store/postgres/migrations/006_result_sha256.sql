-- A result is proven before it is served, as an upload is before it is read. Jobs that ended
-- before this step have none: their results are served as they are.
ALTER TABLE jobs ADD COLUMN result_sha256 TEXT;
