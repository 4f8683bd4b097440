-- name: add_module
-- Add a module to an org.
INSERT INTO modules (org_id, api_name, id, position, module_name, singular_label, plural_label,
                     generated_type, layout_id, bulk_write, table_schema, table_name,
                     schema_version)
VALUES (:org_id, :api_name, :id,
        (SELECT count(*) FROM modules WHERE org_id = :org_id), :module_name,
        :singular_label, :plural_label, :generated_type, :layout_id, :bulk_write,
        :table_schema, :table_name, :schema_version)

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
        '[]', :column_name, :column_type, :column_nullable)

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

-- name: picklist_values
-- The values of a module's picklists, those of a field in display order.
SELECT module, api_name, value FROM picklist_values WHERE org_id = :org_id AND module = :module
ORDER BY api_name, position

-- name: picklist_values_from
-- The values of one picklist from a position on.
SELECT value FROM picklist_values
WHERE org_id = :org_id AND module = :module AND api_name = :api_name AND position >= :first
ORDER BY position

-- name: change_schema_version
-- Note that the fields of a module have changed.
UPDATE modules SET schema_version = :schema_version
WHERE org_id = :org_id AND api_name = :module

-- name: name_module
-- Change what a module is called and where it comes from; its API name stays.
UPDATE modules SET module_name = :module_name, singular_label = :singular_label,
                   plural_label = :plural_label, generated_type = :generated_type
WHERE org_id = :org_id AND api_name = :api_name

-- name: picklist_values_of_org
-- The values of all picklists of an org, those of a field in display order.
SELECT module, api_name, value FROM picklist_values WHERE org_id = :org_id
ORDER BY module, api_name, position

-- name: fields_of_org
-- The fields of all modules of an org, those of each module in display order.
SELECT * FROM fields WHERE org_id = :org_id ORDER BY module, position

-- name: module_ids
-- The ids of an org's modules by their names.
SELECT api_name, id FROM modules WHERE org_id = :org_id
