-- What a bulk read asks for, and what it has read. Its job is a row of `jobs` with the operation
-- `read`, so that reads and writes share claims, leases, callbacks, quotas and retention.
CREATE TABLE reads (
    job_id BIGINT PRIMARY KEY REFERENCES jobs (id),
    module TEXT NOT NULL,
    module_id BIGINT NOT NULL,
    query TEXT NOT NULL,
    row_count BIGINT,
    last_id BIGINT,
    more BOOLEAN
);
