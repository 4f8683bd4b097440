"""Import templates: one row each; their columns are the sections of a mapping file, as JSON."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.import_template import ImportChoices, ImportTemplate, TemplateEntry
from bulkwright.domain.job import Operation
from bulkwright.store.database import Database, Row
from bulkwright.store.times import from_micros, now_micros


class TemplateStore:
    """Reads, saves and deletes the import templates of orgs."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing."""
        return self._db.transaction()

    def of_org(self, org_id: int) -> list[TemplateEntry]:
        """Returns the templates of an org, by name."""
        return [_entry(row) for row in self._db.all("templates_of_org", org_id=org_id)]

    def template(self, org_id: int, name: str) -> ImportTemplate | None:
        """Returns one template of an org."""
        row = self._db.one("template", org_id=org_id, name=name)
        return None if row is None else ImportTemplate(_entry(row), _choices(row))

    def number(self, org_id: int) -> int:
        """Returns how many templates an org has."""
        row = self._db.one("number_of_templates", org_id=org_id)
        assert row is not None
        return int(row["number"])

    def save(self, org_id: int, user_id: int, name: str, choices: ImportChoices) -> None:
        """Adds a template, or replaces the one of its name."""
        limit = choices.error_limit
        self._db.run(
            "save_template",
            org_id=org_id,
            name=name,
            module=choices.module,
            operation=choices.operation.value,
            find_by=choices.find_by,
            ignore_empty=choices.ignore_empty,
            columns=json.dumps(dict(choices.columns)),
            defaults=json.dumps(dict(choices.defaults)),
            formats=json.dumps(dict(choices.formats)),
            all_or_nothing=choices.all_or_nothing,
            stop_after=None if limit is None else limit.rows,
            stop_after_percent=None if limit is None else limit.percent,
            now=now_micros(self._db.clock),
            user_id=user_id,
        )

    def delete(self, org_id: int, name: str) -> bool:
        """Deletes a template; returns whether there was one."""
        return self._db.one("delete_template", org_id=org_id, name=name) is not None


def _entry(row: Row) -> TemplateEntry:
    return TemplateEntry(
        name=row["name"],
        module=row["module"],
        operation=Operation(row["operation"]),
        changed_time=from_micros(row["changed_time"], "UTC"),
        changed_by=row["changed_by"],
    )


def _choices(row: Row) -> ImportChoices:
    rows, percent = row["stop_after"], row["stop_after_percent"]
    is_limited = rows is not None or percent is not None
    return ImportChoices(
        module=row["module"],
        operation=Operation(row["operation"]),
        find_by=row["find_by"],
        ignore_empty=bool(row["ignore_empty"]),
        columns=json.loads(row["columns"]),
        defaults=json.loads(row["defaults"]),
        formats=json.loads(row["formats"]),
        all_or_nothing=bool(row["all_or_nothing"]),
        error_limit=ErrorLimit(rows, percent) if is_limited else None,
    )
