-- Orgs, their people and programs, the CRM schema, uploads, jobs and their ledger.
-- Times are whole microseconds since 1970 UTC. Record tables are made per module (store/tables.py).

-- One family of 18-digit ids for everything that has one; never reused.
CREATE SEQUENCE ids START WITH 111111000000000001;

-- Take consecutive ids. Nobody waits for the end of anybody's transaction: the lock is held only
-- while the sequence moves. Each step needs the one before, which is what keeps them in order.
CREATE FUNCTION take_ids(n BIGINT) RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
    WITH locked AS MATERIALIZED (SELECT pg_advisory_lock(7235420135291190)),
         moved AS MATERIALIZED (SELECT setval('ids', nextval('ids') + n - 1) AS last FROM locked),
         freed AS MATERIALIZED (SELECT last, pg_advisory_unlock(7235420135291190) FROM moved)
    SELECT last - n + 1 FROM freed
$$;

-- The clock of leases: the server's, the same for all workers wherever they run.
CREATE FUNCTION lease_now() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT
$$;

CREATE TABLE orgs (
    id BIGINT PRIMARY KEY,
    record_id BIGINT NOT NULL,
    company_name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    currency TEXT NOT NULL,
    created_time BIGINT NOT NULL
);

CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    org_id BIGINT NOT NULL REFERENCES orgs (id),
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    created_time BIGINT NOT NULL,
    UNIQUE (org_id, email_key)
);

CREATE TABLE clients (
    client_id TEXT PRIMARY KEY,
    org_id BIGINT NOT NULL REFERENCES orgs (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_hash TEXT,
    redirect_uris TEXT NOT NULL
);

-- Access tokens, refresh tokens and grant codes; only their SHA-256 is ever stored.
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    org_id BIGINT NOT NULL REFERENCES orgs (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    client_id TEXT NOT NULL REFERENCES clients (client_id),
    scopes TEXT NOT NULL,
    redirect_uri TEXT,
    parent TEXT,
    created_time BIGINT NOT NULL,
    expires_time BIGINT,
    used BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE INDEX tokens_by_parent ON tokens (parent) WHERE parent IS NOT NULL;

CREATE TABLE modules (
    org_id BIGINT NOT NULL REFERENCES orgs (id),
    api_name TEXT NOT NULL,
    id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    module_name TEXT NOT NULL,
    singular_label TEXT NOT NULL,
    plural_label TEXT NOT NULL,
    generated_type TEXT NOT NULL,
    layout_id BIGINT NOT NULL,
    bulk_write BOOLEAN NOT NULL,
    PRIMARY KEY (org_id, api_name)
);

CREATE TABLE fields (
    org_id BIGINT NOT NULL,
    module TEXT NOT NULL,
    position BIGINT NOT NULL,
    id BIGINT NOT NULL,
    api_name TEXT NOT NULL,
    display_label TEXT NOT NULL,
    data_type TEXT NOT NULL,
    length BIGINT,
    decimal_place BIGINT,
    system_mandatory BOOLEAN NOT NULL,
    layout_mandatory BOOLEAN NOT NULL,
    read_only BOOLEAN NOT NULL,
    is_unique BOOLEAN NOT NULL,
    duplicate_check BOOLEAN NOT NULL,
    custom BOOLEAN NOT NULL,
    lookup_module TEXT,
    pick_list_values TEXT NOT NULL,
    PRIMARY KEY (org_id, module, position),
    UNIQUE (org_id, module, api_name),
    FOREIGN KEY (org_id, module) REFERENCES modules (org_id, api_name)
);

CREATE TABLE uploads (
    id BIGINT PRIMARY KEY,
    org_id BIGINT NOT NULL REFERENCES orgs (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    created_time BIGINT NOT NULL,
    csv TEXT,
    problem TEXT
);

CREATE TABLE jobs (
    id BIGINT PRIMARY KEY,
    org_id BIGINT NOT NULL REFERENCES orgs (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    user_name TEXT NOT NULL,
    operation TEXT NOT NULL,
    created_time BIGINT NOT NULL,
    time_zone TEXT NOT NULL,
    status TEXT NOT NULL,
    code TEXT,
    character_encoding TEXT,
    ignore_empty BOOLEAN,
    callback_url TEXT,
    has_result BOOLEAN NOT NULL DEFAULT FALSE,
    fingerprint TEXT,
    lease_token BIGINT NOT NULL DEFAULT 0,
    lease_holder TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    finished_time BIGINT
);

CREATE INDEX jobs_open ON jobs (id) WHERE status IN ('ADDED', 'INPROGRESS');

CREATE TABLE resources (
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    position BIGINT NOT NULL,
    module TEXT NOT NULL,
    module_id BIGINT NOT NULL,
    file_id BIGINT NOT NULL,
    find_by TEXT,
    ignore_empty BOOLEAN NOT NULL,
    auto_mapped BOOLEAN NOT NULL,
    mappings TEXT NOT NULL,
    status TEXT NOT NULL,
    code TEXT,
    file_name TEXT,
    added BIGINT NOT NULL DEFAULT 0,
    updated BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, position)
);

-- One row a committed chunk: where it lay, what it did, and its durable piece of the result.
CREATE TABLE ledger (
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    resource BIGINT NOT NULL,
    chunk BIGINT NOT NULL,
    first_row BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    added BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    resume_text BIGINT NOT NULL,
    resume_row BIGINT NOT NULL,
    part_name TEXT NOT NULL,
    part_deflated BIGINT NOT NULL,
    part_plain BIGINT NOT NULL,
    part_crc BIGINT NOT NULL,
    PRIMARY KEY (job_id, resource, chunk)
);
