-- name: add_upload
-- Add an upload, which acknowledges it.
INSERT INTO uploads (id, org_id, user_id, name, bytes, sha256, created_time, csv, problem)
VALUES (:id, :org_id, :user_id, :name, :bytes, :sha256, :created_time, :csv, :problem)

-- name: upload
-- One upload of an org.
SELECT * FROM uploads WHERE org_id = :org_id AND id = :id
