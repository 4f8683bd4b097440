-- name: open_job_of_org
-- One job of an org that has not ended, if there is one.
SELECT id FROM jobs WHERE org_id = :org_id AND status IN ('ADDED', 'INPROGRESS') LIMIT 1

-- name: job_ids_of_org
-- The ids of all jobs of an org.
SELECT id FROM jobs WHERE org_id = :org_id

-- name: upload_ids_of_org
-- The ids of all uploads of an org.
SELECT id FROM uploads WHERE org_id = :org_id

-- name: delete_idempotency_keys_of_org
-- Delete the idempotency keys of an org.
DELETE FROM idempotency_keys WHERE org_id = :org_id

-- name: delete_templates_of_org
-- Delete the import templates of an org.
DELETE FROM import_templates WHERE org_id = :org_id

-- name: delete_outbox_of_org
-- Delete the callbacks of an org.
DELETE FROM outbox WHERE org_id = :org_id

-- name: delete_signing_secrets_of_org
-- Delete the secrets that sign the callbacks of an org.
DELETE FROM signing_secrets WHERE org_id = :org_id

-- name: delete_ledger_of_org
-- Delete the ledgers of the jobs of an org.
DELETE FROM ledger WHERE job_id IN (SELECT id FROM jobs WHERE org_id = :org_id)

-- name: delete_parts_of_org
-- Delete the parts of the jobs of an org.
DELETE FROM parts WHERE job_id IN (SELECT id FROM jobs WHERE org_id = :org_id)

-- name: delete_parents_of_org
-- Delete which records the rows of parents' CSVs of an org became.
DELETE FROM parents WHERE job_id IN (SELECT id FROM jobs WHERE org_id = :org_id)

-- name: delete_resources_of_org
-- Delete the resources of the jobs of an org.
DELETE FROM resources WHERE job_id IN (SELECT id FROM jobs WHERE org_id = :org_id)

-- name: delete_reads_of_org
-- Delete what the bulk reads of an org ask for.
DELETE FROM reads WHERE job_id IN (SELECT id FROM jobs WHERE org_id = :org_id)

-- name: delete_jobs_of_org
-- Delete the jobs of an org.
DELETE FROM jobs WHERE org_id = :org_id

-- name: delete_uploads_of_org
-- Delete the uploads of an org.
DELETE FROM uploads WHERE org_id = :org_id

-- name: delete_deleted_records_of_org
-- Delete what is known of the deleted records of an org.
DELETE FROM deleted_records WHERE org_id = :org_id

-- name: delete_direct_ids_of_org
-- Delete which ids the record calls of an org gave.
DELETE FROM direct_ids WHERE module_id IN (SELECT id FROM modules WHERE org_id = :org_id)

-- name: delete_fields_of_org
-- Delete the fields of the modules of an org.
DELETE FROM fields WHERE org_id = :org_id

-- name: delete_modules_of_org
-- Delete the modules of an org.
DELETE FROM modules WHERE org_id = :org_id

-- name: delete_sessions_of_org
-- Delete the sessions of an org, with the consents given in them.
DELETE FROM sessions WHERE org_id = :org_id

-- name: delete_tokens_of_org
-- Delete the tokens of an org.
DELETE FROM tokens WHERE org_id = :org_id

-- name: delete_clients_of_org
-- Delete the OAuth clients of an org.
DELETE FROM clients WHERE org_id = :org_id

-- name: delete_passwords_of_org
-- Delete the passwords of the users of an org.
DELETE FROM passwords WHERE user_id IN (SELECT id FROM users WHERE org_id = :org_id)

-- name: delete_devices_of_org
-- Delete the devices of the users of an org.
DELETE FROM devices WHERE user_id IN (SELECT id FROM users WHERE org_id = :org_id)

-- name: delete_users_of_org
-- Delete the users of an org.
DELETE FROM users WHERE org_id = :org_id

-- name: delete_org
-- Delete an org to which no row refers any more.
DELETE FROM orgs WHERE id = :org_id
