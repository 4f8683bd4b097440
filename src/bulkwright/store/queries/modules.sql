-- name: add_module
-- Add a module to an org.
INSERT INTO modules (org_id, api_name, id, position, module_name, singular_label, plural_label,
                     generated_type, layout_id, bulk_write, table_schema, table_name)
VALUES (:org_id, :api_name, :id,
        (SELECT count(*) FROM modules WHERE org_id = :org_id), :module_name,
        :singular_label, :plural_label, :generated_type, :layout_id, :bulk_write,
        :table_schema, :table_name)

-- name: add_field
-- Add a field at the end of a module.
INSERT INTO fields (org_id, module, position, id, api_name, display_label, data_type, length,
                    decimal_place, system_mandatory, layout_mandatory, read_only, is_unique,
                    duplicate_check, custom, lookup_module, pick_list_values, column_name,
                    column_type, column_nullable)
VALUES (:org_id, :module,
        (SELECT count(*) FROM fields WHERE org_id = :org_id AND module = :module),
        :id, :api_name, :display_label, :data_type, :length, :decimal_place, :system_mandatory,
        :layout_mandatory, :read_only, :is_unique, :duplicate_check, :custom, :lookup_module,
        :pick_list_values, :column_name, :column_type, :column_nullable)

-- name: delete_fields
-- Delete the fields of a module, before they are added again.
DELETE FROM fields WHERE org_id = :org_id AND module = :module

-- name: modules
-- The modules of an org in display order.
SELECT * FROM modules WHERE org_id = :org_id ORDER BY position

-- name: module
-- One module of an org by its api_name.
SELECT * FROM modules WHERE org_id = :org_id AND api_name = :api_name

-- name: fields
-- The fields of a module in display order.
SELECT * FROM fields WHERE org_id = :org_id AND module = :module ORDER BY position

-- name: fields_of_org
-- The fields of all modules of an org, those of each module in display order.
SELECT * FROM fields WHERE org_id = :org_id ORDER BY module, position

-- name: set_pick_list
-- Replace the values of a picklist field.
UPDATE fields SET pick_list_values = :pick_list_values
WHERE org_id = :org_id AND module = :module AND api_name = :api_name

-- name: module_ids
-- The ids of an org's modules by their names.
SELECT api_name, id FROM modules WHERE org_id = :org_id
