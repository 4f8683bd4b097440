-- name: pin_upload
-- An upload that a job will need: no sweep deletes it before this transaction ends.
SELECT id FROM uploads WHERE org_id = :org_id AND id = :id
