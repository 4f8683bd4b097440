-- The values of picklists, one a row: a new value is a new row, whatever their number.
CREATE TABLE picklist_values (
    org_id BIGINT NOT NULL,
    module TEXT NOT NULL,
    api_name TEXT NOT NULL,
    position BIGINT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (org_id, module, api_name, position),
    FOREIGN KEY (org_id, module, api_name) REFERENCES fields (org_id, module, api_name)
        ON DELETE CASCADE
);

INSERT INTO picklist_values (org_id, module, api_name, position, value)
SELECT f.org_id, f.module, f.api_name, v.at - 1, v.value
FROM fields f
CROSS JOIN LATERAL json_array_elements_text(CAST(f.pick_list_values AS json))
    WITH ORDINALITY AS v (value, at);

-- The column stays, empty, for servers of the version before, which still read it.
UPDATE fields SET pick_list_values = '[]' WHERE pick_list_values <> '[]';

-- Another text after each change of a module's fields, so that what was made of them can be kept.
ALTER TABLE modules ADD COLUMN schema_version TEXT NOT NULL DEFAULT '';
