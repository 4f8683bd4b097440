-- name: add_upload
-- Add an upload, which acknowledges it.
INSERT INTO uploads (id, org_id, user_id, name, bytes, sha256, created_time, csv, problem)
VALUES (:id, :org_id, :user_id, :name, :bytes, :sha256, :created_time, :csv, :problem)

-- name: uploaded
-- What an org has stored: bytes, and the uploads that are younger than :day.
SELECT coalesce(sum(bytes), 0) AS bytes, count(CASE WHEN created_time > :day THEN 1 END) AS today
FROM uploads WHERE org_id = :org_id

-- name: upload
-- One upload of an org.
SELECT * FROM uploads WHERE org_id = :org_id AND id = :id
