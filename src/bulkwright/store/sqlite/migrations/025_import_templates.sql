-- The choices of imports that an org keeps under names: which columns fill which fields, and how. The three
-- JSON objects are the sections of a mapping file.
CREATE TABLE import_templates (
    org_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    module TEXT NOT NULL,
    operation TEXT NOT NULL,
    find_by TEXT,
    ignore_empty INTEGER NOT NULL,
    columns TEXT NOT NULL,
    defaults TEXT NOT NULL,
    formats TEXT NOT NULL,
    all_or_nothing INTEGER NOT NULL,
    stop_after INTEGER,
    stop_after_percent REAL,
    changed_time INTEGER NOT NULL,
    changed_by INTEGER NOT NULL,
    PRIMARY KEY (org_id, name)
) WITHOUT ROWID;
