-- name: add_direct_ids
-- Note that a record call took these ids for new records.
INSERT INTO direct_ids (module_id, first, count) VALUES (:module_id, :first, :count)

-- name: add_deleted_record
-- Note that a record was deleted.
INSERT INTO deleted_records (module_id, id, org_id, display_name, created_by, deleted_by,
                             deleted_time)
VALUES (:module_id, :id, :org_id, :display_name, :created_by, :deleted_by, :deleted_time)

-- name: deleted_records
-- A page of the deleted records of a module that were deleted within a time, newest first.
SELECT id, display_name, created_by, deleted_by, deleted_time FROM deleted_records
WHERE module_id = :module_id AND deleted_time > :after AND deleted_time <= :until
ORDER BY deleted_time DESC, id DESC LIMIT :most OFFSET :skipped

-- name: forget_deleted_names
-- Erase the names of records that were deleted a long time ago. `bulkwright check` needs their ids.
UPDATE deleted_records SET display_name = '' WHERE deleted_time < :before AND display_name <> ''
