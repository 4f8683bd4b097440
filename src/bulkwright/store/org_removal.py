"""Deletes an org with all rows and record tables of it."""

from __future__ import annotations

from bulkwright.store import tables
from bulkwright.store.database import Database
from bulkwright.store.modules import ModuleStore

_QUERIES = (
    "delete_idempotency_keys_of_org", "delete_templates_of_org",
    "delete_outbox_of_org", "delete_signing_secrets_of_org", "delete_ledger_of_org",
    "delete_unchanged_rows_of_org",
    "delete_parts_of_org", "delete_parents_of_org", "delete_resources_of_org",
    "delete_reads_of_org", "delete_undos_of_org", "delete_unneeded_images_of_org",
    "delete_jobs_of_org",
    "delete_uploads_of_org", "delete_deleted_records_of_org", "delete_direct_ids_of_org",
    "delete_fields_of_org", "delete_modules_of_org",
    "delete_sessions_of_org", "delete_tokens_of_org", "delete_clients_of_org",
    "delete_passwords_of_org", "delete_devices_of_org", "delete_users_of_org", "delete_org",
)  # fmt: skip
"""In the order of the references between the tables. The audit log is kept."""


class OrgRemoval:
    """Reads what belongs to an org, and deletes it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def has_open_jobs(self, org_id: int) -> bool:
        """Returns whether a job of the org has not ended."""
        return self._db.one("open_job_of_org", org_id=org_id) is not None

    def file_numbers(self, org_id: int) -> tuple[list[int], list[int]]:
        """Returns the ids of the uploads and of the jobs of an org, which name its files."""
        uploads = self._db.all("upload_ids_of_org", org_id=org_id)
        jobs = self._db.all("job_ids_of_org", org_id=org_id)
        return [row["id"] for row in uploads], [row["id"] for row in jobs]

    def delete(self, org_id: int) -> None:
        """Deletes the org, all or nothing. Existing tables of the user's are not changed."""
        with self._db.transaction():
            self._db.all("lock_schema")
            for module in ModuleStore(self._db).modules(org_id):
                for statement in tables.drop_table(module):
                    self._db.sql(statement)
            for query in _QUERIES:
                self._db.run(query, org_id=org_id)
