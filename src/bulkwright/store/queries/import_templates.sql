-- name: templates_of_org
-- The import templates of an org without their columns, by name.
SELECT name, module, operation, changed_time, changed_by FROM import_templates
WHERE org_id = :org_id ORDER BY name

-- name: template
-- One import template of an org.
SELECT * FROM import_templates WHERE org_id = :org_id AND name = :name

-- name: number_of_templates
-- How many import templates an org has.
SELECT COUNT(*) AS number FROM import_templates WHERE org_id = :org_id

-- name: save_template
-- Add an import template, or replace the one of its name.
INSERT INTO import_templates (
    org_id, name, module, operation, find_by, ignore_empty, columns, defaults, formats,
    all_or_nothing, stop_after, stop_after_percent, changed_time, changed_by
) VALUES (
    :org_id, :name, :module, :operation, :find_by, :ignore_empty, :columns, :defaults, :formats,
    :all_or_nothing, :stop_after, :stop_after_percent, :now, :user_id
)
ON CONFLICT (org_id, name) DO UPDATE SET
    module = excluded.module, operation = excluded.operation, find_by = excluded.find_by,
    ignore_empty = excluded.ignore_empty, columns = excluded.columns,
    defaults = excluded.defaults, formats = excluded.formats,
    all_or_nothing = excluded.all_or_nothing, stop_after = excluded.stop_after,
    stop_after_percent = excluded.stop_after_percent, changed_time = excluded.changed_time,
    changed_by = excluded.changed_by

-- name: delete_template
-- Delete an import template; returns no row if there is none.
DELETE FROM import_templates WHERE org_id = :org_id AND name = :name RETURNING name
