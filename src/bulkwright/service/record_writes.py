"""Writes single records: insert, update, upsert and delete of up to a hundred a call (facts 10).

A call is one transaction, which has locked the module as the chunk of a job does: what is found is
what is written. Each record's mistake is its own. When a method returns, its records are durable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain import scope
from bulkwright.domain.account import Caller, email_key
from bulkwright.domain.audit import Action
from bulkwright.domain.errors import InvalidData, InvalidToken, LimitExceeded
from bulkwright.domain.ids import parse_id
from bulkwright.domain.job import Person
from bulkwright.domain.limits import RECORDS_PER_CALL, Limits
from bulkwright.domain.module import Field, Module
from bulkwright.domain.record_write import (
    DeletedRecord,
    NotStored,
    RecordFault,
    RecordInput,
    RecordOutcome,
    WrittenRecord,
)
from bulkwright.service.audit import AuditLog
from bulkwright.service.record_access import ScopesOf, permitted_module
from bulkwright.service.record_call import Author, RecordCall, Verb
from bulkwright.service.record_drafts import DraftRules
from bulkwright.store.accounts import AccountStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.records import RecordStore

NOT_DELETED = "record not deleted"
_SHOWN_IDS = 10
"""How many ids an entry of the audit log names."""


@dataclass(frozen=True, slots=True)
class RecordCalls:
    """Writes the records of the caller's org."""

    accounts: AccountStore
    modules: ModuleStore
    records: RecordStore
    audit: AuditLog
    limits: Limits
    layout_mandatory: bool = False
    """Whether new records need layout-mandatory fields too, as rows of a job do."""
    clock: Clock = SYSTEM_CLOCK

    def check(self, caller: Caller, module: str, scopes_of: ScopesOf) -> None:
        """Checks that a caller may write to a module, before the body of a request is read.

        Raises InvalidModule, ScopeMismatch and NotStored.
        """
        self._module(caller, module, scopes_of)

    def insert(
        self, caller: Caller, module: str, given: Sequence[RecordInput]
    ) -> list[RecordOutcome]:
        """Adds records; returns what became of each.

        Raises InvalidModule, ScopeMismatch, LimitExceeded, and NotStored for a value or a module
        that the service cannot write.
        """
        found = self._module(caller, module, scope.module_write)
        return self._write(caller, found, "insert", Verb(creates=True, updates=False), given)

    def update(
        self,
        caller: Caller,
        module: str,
        given: Sequence[RecordInput],
        unmodified_since: datetime | None = None,
    ) -> list[RecordOutcome]:
        """Changes the given values of records, which name their ids. Raises like `insert`."""
        found = self._module(caller, module, scope.module_update)
        verb = Verb(creates=False, updates=True, unmodified_since=unmodified_since)
        return self._write(caller, found, "update", verb, given)

    def upsert(
        self,
        caller: Caller,
        module: str,
        given: Sequence[RecordInput],
        check: Sequence[str],
        unmodified_since: datetime | None = None,
    ) -> list[RecordOutcome]:
        """Changes the records that hold the values of a key, and adds the others.

        `check` are the fields to find records by. Raises InvalidData if one is no key of the
        module, and like `insert`.
        """
        found = self._module(caller, module, scope.module_write)
        match_by = _match_order(found, check)
        for field in match_by:
            self.records.ensure_index(found, field)
        verb = Verb(True, True, match_by, unmodified_since)
        return self._write(caller, found, "upsert", verb, given)

    def delete(self, caller: Caller, module: str, ids: Sequence[str]) -> list[RecordOutcome]:
        """Deletes records. Raises InvalidData for an id that is no number, and like `insert`."""
        found = self._module(caller, module, scope.module_delete)
        _check_count(ids, "ids")
        numbers = [parse_id(text, leading_zeros=True) for text in ids]
        if None in numbers:
            raise InvalidData(
                "either the request body or parameters is in wrong format", {"param_name": "ids"}
            )
        wanted = list(dict.fromkeys(number for number in numbers if number is not None))
        with self.records.locked(found):
            deleted = self.records.delete(found, wanted, caller.user_id, self.clock.now())
            self._record(caller, found, "delete", sorted(deleted))
        outcomes: list[RecordOutcome] = []
        for number in (number for number in numbers if number is not None):
            if number in deleted:
                outcomes.append(DeletedRecord(number))
                deleted.discard(number)  # an id that comes twice is deleted once
            else:
                details = {"id": str(number)}
                outcomes.append(
                    RecordFault("INVALID_DATA", NOT_DELETED, details=details, unknown_id=True)
                )
        return outcomes

    def _module(self, caller: Caller, name: str, scopes_of: ScopesOf) -> Module:
        module = permitted_module(self.modules, caller, name, scopes_of)
        if not module.table_kind.has_all_operations:
            # Its constraints, triggers and types are those of the user (pipeline/targets).
            raise NotStored(module.api_name)
        return module

    def _write(
        self,
        caller: Caller,
        module: Module,
        name: str,
        verb: Verb,
        given: Sequence[RecordInput],
    ) -> list[RecordOutcome]:
        _check_count(given, "data")
        users = self.accounts.users(caller.org_id)
        user = next((user for user in users if user.id == caller.user_id), None)
        if user is None:
            raise InvalidToken
        zone = ZoneInfo(user.time_zone)
        rules = DraftRules(
            module,
            self._mandatory(module) if verb.creates else module.mandatory_fields,
            {key: u.id for u in users for key in (str(u.id), email_key(u.email))},
            self.modules.ids(caller.org_id),
            zone,
        )
        drafts = [rules.draft(record) for record in given]
        # Whole seconds, as date-times of the service's tables are.
        now = self.clock.now().astimezone(UTC).replace(microsecond=0)
        author = Author(
            Person(user.id, user.name), now.astimezone(zone), {u.id: u.name for u in users}
        )
        with self.records.locked(module):
            call = RecordCall(
                self.records, self.modules, module, verb, author, self.limits.picklist_values
            )
            outcomes = call.run(drafts)
            written = [outcome.id for outcome in outcomes if isinstance(outcome, WrittenRecord)]
            self._record(caller, module, name, written)
        return outcomes

    def _record(self, caller: Caller, module: Module, name: str, ids: Sequence[int]) -> None:
        """Adds an entry to the audit log, in the transaction of the call, if it changes records."""
        if not ids:
            return
        shown = ", ".join(map(str, ids[:_SHOWN_IDS])) + (", ..." if len(ids) > _SHOWN_IDS else "")
        detail = f"{name} {module.api_name}: {len(ids)} records ({shown})"
        self.audit.record_call(Action.RECORDS_CHANGED, caller, detail)

    def _mandatory(self, module: Module) -> tuple[Field, ...]:
        return tuple(
            f
            for f in module.fields
            if f.writable and (f.system_mandatory or (self.layout_mandatory and f.layout_mandatory))
        )


def _check_count(given: Sequence[object], name: str) -> None:
    if len(given) > RECORDS_PER_CALL:
        raise LimitExceeded(
            "count of records in your request exceeds the limit",
            {"maximum_length": RECORDS_PER_CALL, "api_name": name},
        )


def _match_order(module: Module, check: Sequence[str]) -> tuple[Field, ...]:
    """Returns the fields by which an upsert finds records, in order (facts 10.5).

    Fields of the module that are no key are an error; user-defined unique fields are always used.
    """
    keys = [f for f in module.fields if f.is_key and f.api_name != "id"]
    named = [f for name in check for f in keys if f.api_name == name]
    if len(named) < len(check):
        supported = [f.api_name for f in keys]
        raise InvalidData(
            details={"api_name": "duplicate_check_fields", "supported_values": supported}
        )
    system = [f for f in keys if f.duplicate_check]
    unique = [f for f in keys if f.unique]
    return tuple(dict.fromkeys((*(named or system), *unique)))
