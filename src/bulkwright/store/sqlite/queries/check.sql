-- name: create_reported
-- The temporary table of the records that result lines report as added.
CREATE TEMP TABLE reported (
    module INTEGER NOT NULL,
    id INTEGER NOT NULL,
    job_id INTEGER NOT NULL,
    PRIMARY KEY (module, id)
) WITHOUT ROWID

-- name: create_named
-- The temporary table of the records that the lines of one chunk name.
CREATE TEMP TABLE named (id INTEGER PRIMARY KEY)

-- name: next_id
-- The next id that will be given.
SELECT next FROM sequence WHERE name = 'id'
