-- Orgs, their people and programs, the CRM schema, uploads, jobs and their ledger.
-- Times are whole microseconds since 1970 UTC. Record tables are made per module (store/tables.py).

CREATE TABLE sequence (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) WITHOUT ROWID;

-- One family of 18-digit ids for everything that has one; never reused.
INSERT INTO sequence (name, next) VALUES ('id', 111111000000000001);

CREATE TABLE orgs (
    id INTEGER PRIMARY KEY,
    record_id INTEGER NOT NULL,
    company_name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    currency TEXT NOT NULL,
    created_time INTEGER NOT NULL
);

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    org_id INTEGER NOT NULL REFERENCES orgs (id),
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    created_time INTEGER NOT NULL,
    UNIQUE (org_id, email_key)
);

CREATE TABLE clients (
    client_id TEXT PRIMARY KEY,
    org_id INTEGER NOT NULL REFERENCES orgs (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_hash TEXT,
    redirect_uris TEXT NOT NULL
) WITHOUT ROWID;

-- Access tokens, refresh tokens and grant codes; only their SHA-256 is ever stored.
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    org_id INTEGER NOT NULL REFERENCES orgs (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    client_id TEXT NOT NULL REFERENCES clients (client_id),
    scopes TEXT NOT NULL,
    redirect_uri TEXT,
    parent TEXT,
    created_time INTEGER NOT NULL,
    expires_time INTEGER,
    used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE INDEX tokens_by_parent ON tokens (parent) WHERE parent IS NOT NULL;

CREATE TABLE modules (
    org_id INTEGER NOT NULL REFERENCES orgs (id),
    api_name TEXT NOT NULL,
    id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    module_name TEXT NOT NULL,
    singular_label TEXT NOT NULL,
    plural_label TEXT NOT NULL,
    generated_type TEXT NOT NULL,
    layout_id INTEGER NOT NULL,
    bulk_write INTEGER NOT NULL,
    PRIMARY KEY (org_id, api_name)
) WITHOUT ROWID;

CREATE TABLE fields (
    org_id INTEGER NOT NULL,
    module TEXT NOT NULL,
    position INTEGER NOT NULL,
    id INTEGER NOT NULL,
    api_name TEXT NOT NULL,
    display_label TEXT NOT NULL,
    data_type TEXT NOT NULL,
    length INTEGER,
    decimal_place INTEGER,
    system_mandatory INTEGER NOT NULL,
    layout_mandatory INTEGER NOT NULL,
    read_only INTEGER NOT NULL,
    is_unique INTEGER NOT NULL,
    duplicate_check INTEGER NOT NULL,
    custom INTEGER NOT NULL,
    lookup_module TEXT,
    pick_list_values TEXT NOT NULL,
    PRIMARY KEY (org_id, module, position),
    UNIQUE (org_id, module, api_name),
    FOREIGN KEY (org_id, module) REFERENCES modules (org_id, api_name)
) WITHOUT ROWID;

CREATE TABLE uploads (
    id INTEGER PRIMARY KEY,
    org_id INTEGER NOT NULL REFERENCES orgs (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    created_time INTEGER NOT NULL,
    csv TEXT,
    problem TEXT
);

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    org_id INTEGER NOT NULL REFERENCES orgs (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    user_name TEXT NOT NULL,
    operation TEXT NOT NULL,
    created_time INTEGER NOT NULL,
    time_zone TEXT NOT NULL,
    status TEXT NOT NULL,
    code TEXT,
    character_encoding TEXT,
    ignore_empty INTEGER,
    callback_url TEXT,
    has_result INTEGER NOT NULL DEFAULT 0,
    fingerprint TEXT,
    lease_token INTEGER NOT NULL DEFAULT 0,
    lease_holder TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    finished_time INTEGER
);

CREATE INDEX jobs_open ON jobs (id) WHERE status IN ('ADDED', 'INPROGRESS');

CREATE TABLE resources (
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    position INTEGER NOT NULL,
    module TEXT NOT NULL,
    module_id INTEGER NOT NULL,
    file_id INTEGER NOT NULL,
    find_by TEXT,
    ignore_empty INTEGER NOT NULL,
    auto_mapped INTEGER NOT NULL,
    mappings TEXT NOT NULL,
    status TEXT NOT NULL,
    code TEXT,
    file_name TEXT,
    added INTEGER NOT NULL DEFAULT 0,
    updated INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, position)
) WITHOUT ROWID;

-- One row a committed chunk: where it lay, what it did, and its durable piece of the result.
CREATE TABLE ledger (
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    resource INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    added INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    resume_text INTEGER NOT NULL,
    resume_row INTEGER NOT NULL,
    part_name TEXT NOT NULL,
    part_deflated INTEGER NOT NULL,
    part_plain INTEGER NOT NULL,
    part_crc INTEGER NOT NULL,
    PRIMARY KEY (job_id, resource, chunk)
) WITHOUT ROWID;
