-- A request that is repeated with its key returns what the first one has made: an upload or a job.
CREATE TABLE idempotency_keys (
    org_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    made INTEGER NOT NULL,
    created_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_time);
