-- name: create_reported
-- The temporary table of the records that result lines report as added.
CREATE TEMP TABLE reported (
    module BIGINT NOT NULL,
    id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    PRIMARY KEY (module, id)
)

-- name: create_named
-- The temporary table of the records that the lines of one chunk name.
CREATE TEMP TABLE named (id BIGINT PRIMARY KEY)

-- name: next_id
-- The next id that will be given.
SELECT last_value + CAST(is_called AS int) AS next FROM ids
