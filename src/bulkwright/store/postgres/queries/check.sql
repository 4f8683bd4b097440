-- name: make_told
-- Room for the records that result lines say were added; temporary.
CREATE TEMP TABLE told (
    module BIGINT NOT NULL,
    id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    PRIMARY KEY (module, id)
)

-- name: make_named
-- Room for the records that the lines of one chunk name; temporary.
CREATE TEMP TABLE named (id BIGINT PRIMARY KEY)

-- name: next_id
-- Where the ids that were given end.
SELECT last_value + CAST(is_called AS int) AS next FROM ids
