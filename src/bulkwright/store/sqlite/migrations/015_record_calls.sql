-- What record calls leave behind: who deleted which record, and which ids they gave.

CREATE TABLE deleted_records (
    module_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    org_id INTEGER NOT NULL,
    display_name TEXT NOT NULL,
    created_by INTEGER,
    deleted_by INTEGER NOT NULL,
    deleted_time INTEGER NOT NULL,
    PRIMARY KEY (module_id, id)
) WITHOUT ROWID;

CREATE INDEX deleted_records_by_time ON deleted_records (module_id, deleted_time);

CREATE TABLE direct_ids (
    module_id INTEGER NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (module_id, first)
) WITHOUT ROWID;
