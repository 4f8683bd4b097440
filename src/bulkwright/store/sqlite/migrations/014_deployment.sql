-- The id of this database. The files area holds it too, so that no other database uses the files.

CREATE TABLE deployment (
    id TEXT PRIMARY KEY
) WITHOUT ROWID;

INSERT INTO deployment (id) VALUES (lower(hex(randomblob(16))));
