-- The id of this database. The files area holds it too, so that no other database uses the files.

CREATE TABLE deployment (
    id TEXT PRIMARY KEY
);

INSERT INTO deployment (id) VALUES (replace(gen_random_uuid()::text, '-', ''));
