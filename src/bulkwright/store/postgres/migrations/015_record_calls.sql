-- What record calls leave behind: who deleted which record, and which ids they gave.

CREATE TABLE deleted_records (
    module_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    org_id BIGINT NOT NULL,
    display_name TEXT NOT NULL,
    created_by BIGINT,
    deleted_by BIGINT NOT NULL,
    deleted_time BIGINT NOT NULL,
    PRIMARY KEY (module_id, id)
);

CREATE INDEX deleted_records_by_time ON deleted_records (module_id, deleted_time);

CREATE TABLE direct_ids (
    module_id BIGINT NOT NULL,
    first BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (module_id, first)
);
