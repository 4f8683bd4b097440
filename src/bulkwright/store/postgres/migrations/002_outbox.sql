-- Callbacks: what is still to be told to whom, and the secrets that sign it.

-- The version that the job was created with: a callback answers in its shape.
ALTER TABLE jobs ADD COLUMN version TEXT NOT NULL DEFAULT 'v2';

-- One row a job that has a callback, written together with its final status. A row is due at
-- next_time; while it is being attempted, next_time is where the lease runs out. A lane is a host
-- and port: lanes never wait for one another.
CREATE TABLE outbox (
    id BIGINT PRIMARY KEY,
    org_id BIGINT NOT NULL REFERENCES orgs (id),
    job_id BIGINT NOT NULL UNIQUE REFERENCES jobs (id),
    url TEXT NOT NULL,
    lane TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts BIGINT NOT NULL DEFAULT 0,
    next_time BIGINT NOT NULL,
    lease_until BIGINT NOT NULL DEFAULT 0,
    deadline BIGINT NOT NULL,
    last_status BIGINT,
    last_error TEXT,
    created_time BIGINT NOT NULL,
    ended_time BIGINT
);

CREATE INDEX outbox_due ON outbox (lane, next_time) WHERE state = 'pending';
CREATE INDEX outbox_by_org ON outbox (org_id, id);

-- What signs the callbacks of an org; `previous` signs too until its time is over.
CREATE TABLE signing_secrets (
    org_id BIGINT PRIMARY KEY REFERENCES orgs (id),
    current TEXT NOT NULL,
    previous TEXT,
    previous_until BIGINT NOT NULL DEFAULT 0
);
