-- The choices of imports that an org keeps under names: which columns fill which fields, and how. The three
-- JSON objects are the sections of a mapping file.
CREATE TABLE import_templates (
    org_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    module TEXT NOT NULL,
    operation TEXT NOT NULL,
    find_by TEXT,
    ignore_empty BOOLEAN NOT NULL,
    columns TEXT NOT NULL,
    defaults TEXT NOT NULL,
    formats TEXT NOT NULL,
    all_or_nothing BOOLEAN NOT NULL,
    stop_after BIGINT,
    stop_after_percent DOUBLE PRECISION,
    changed_time BIGINT NOT NULL,
    changed_by BIGINT NOT NULL,
    PRIMARY KEY (org_id, name)
);
