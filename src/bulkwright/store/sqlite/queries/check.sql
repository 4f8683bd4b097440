-- name: make_told
-- Room for the records that result lines say were added; temporary.
CREATE TEMP TABLE told (
    module INTEGER NOT NULL,
    id INTEGER NOT NULL,
    job_id INTEGER NOT NULL,
    PRIMARY KEY (module, id)
) WITHOUT ROWID

-- name: make_named
-- Room for the records that the lines of one chunk name; temporary.
CREATE TEMP TABLE named (id INTEGER PRIMARY KEY)

-- name: next_id
-- Where the ids that were given end.
SELECT next FROM sequence WHERE name = 'id'
