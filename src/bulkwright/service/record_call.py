"""Decides and writes the records of one call, inside one transaction that has locked the module.

Records take effect in their order, like the rows of a file (pipeline/sequential.py): the second
record with a key sees what the first one did. Nothing is read of the store but by an index, and
everything is read before the first decision, so that a hundred records take a few statements.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bulkwright.domain.job import Person
from bulkwright.domain.module import Field, Module, StorageType
from bulkwright.domain.record_write import (
    Effect,
    RecordFault,
    RecordOutcome,
    WrittenRecord,
)
from bulkwright.domain.scalar import Stored
from bulkwright.service.record_drafts import Draft
from bulkwright.store.database import Row
from bulkwright.store.modules import ModuleStore
from bulkwright.store.records import Key, RecordChange, RecordStore

UNKNOWN_ID = "the id given seems to be invalid"


@dataclass(frozen=True, slots=True)
class Verb:
    """What a call does with its records."""

    creates: bool
    updates: bool
    match_by: tuple[Field, ...] = ()
    """The fields by which records without an id find theirs, the first one that finds one."""
    unmodified_since: datetime | None = None
    """A record that has changed since is not updated."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who calls, when, and in which time zone times are shown."""

    person: Person
    now: datetime
    people: dict[int, str]
    """The names of the users of the org."""


@dataclass(slots=True)
class _Holders:
    """Which records hold which keys, after each record of the call."""

    by_key: dict[tuple[str, Key], list[int]] = field(default_factory=dict)
    by_record: dict[int, dict[str, Key | None]] = field(default_factory=dict)

    def holders(self, name: str, key: Key | None) -> list[int]:
        return [] if key is None else self.by_key.get((name, key), [])

    def assign(self, record_id: int, keys: dict[str, Key | None]) -> None:
        held = self.by_record.setdefault(record_id, {})
        for name, key in keys.items():
            former = held.get(name)
            if former is not None and record_id in self.holders(name, former):
                self.by_key[name, former].remove(record_id)
            held[name] = key
            if key is not None:
                self.by_key.setdefault((name, key), []).append(record_id)


class RecordCall:
    """One call that writes records; use it once, inside `RecordStore.locked`."""

    def __init__(
        self,
        store: RecordStore,
        modules: ModuleStore,
        module: Module,
        verb: Verb,
        author: Author,
        most_choices: int,
    ) -> None:
        """`most_choices` is the number of values from which on a picklist takes no new ones."""
        self._store = store
        self._modules = modules
        self._module = module
        self._verb = verb
        self._author = author
        self._matched = tuple(dict.fromkeys((*verb.match_by, *module.unique_fields)))
        stamps = module.authorship(author.person.id, author.now)
        self._on_insert = {name: _stamp(stamp) for name, stamp in stamps.on_insert.items()}
        self._on_update = {name: _stamp(stamp) for name, stamp in stamps.on_update.items()}
        self._defaults = stamps.defaults
        self._picklists = _Choices(modules, module, most_choices)
        self._holders = _Holders()
        self._heads: dict[int, Row] = {}
        self._known: dict[str, set[int]] = {}
        self._changes: list[RecordChange] = []
        self._next_id = 0

    def run(self, drafts: Sequence[Draft]) -> list[RecordOutcome]:
        """Decides every record in order, and writes those that are good."""
        sound = [draft for draft in drafts if draft.fault is None]
        self._read(sound)
        outcomes = [self._decide(draft) for draft in drafts]
        self._store.write(self._module, self._changes)
        self._picklists.grow()
        return outcomes

    # What the store has

    def _read(self, drafts: Sequence[Draft]) -> None:
        ids = {d.record_id for d in drafts if d.record_id} if self._verb.updates else set[int]()
        for target in self._matched:
            name = target.api_name
            keys = {key for d in drafts if (key := d.keys.get(name)) is not None}
            for key, holders in self._store.find(self._module, target, keys).items():
                self._holders.by_key[name, key] = holders
                if self._verb.updates:
                    ids.update(holders[:2])
        self._heads = self._store.heads(self._module, ids, self._matched)
        for record_id, row in self._heads.items():
            held = {f.api_name: row[f.api_name] for f in self._matched}
            self._holders.by_record[record_id] = held
        for target in (f for f in self._module.fields if f.data_type == "lookup"):
            named = {d.lookups[target.api_name] for d in drafts if target.api_name in d.lookups}
            if named:
                self._known[target.api_name] = self._existing(target, named)
        self._picklists.refresh(drafts)
        if self._verb.creates and drafts:
            self._next_id = self._store.take_ids(self._module, len(drafts))

    def _existing(self, lookup: Field, ids: Collection[int]) -> set[int]:
        module = self._modules.module(self._module.org_id, lookup.lookup_module or "")
        return set() if module is None else self._store.existing(module, ids)

    # One record

    def _decide(self, draft: Draft) -> RecordOutcome:
        if draft.fault is not None:
            return draft.fault
        for name, parent in draft.lookups.items():
            if parent not in self._known[name]:
                return RecordFault("INVALID_DATA", UNKNOWN_ID, name, f"{name}.id")
        found = self._find(draft)
        if isinstance(found, RecordFault):
            return found
        record_id, matched_by = found
        full = self._picklists.full_for(draft)
        if full is not None:
            return RecordFault("INVALID_DATA", api_name=full)
        if record_id is None and draft.missing is not None:
            return draft.missing
        duplicates = self._duplicates(draft, record_id)
        if duplicates:
            return replace(duplicates[0], more=duplicates[1:])
        self._picklists.take(draft)
        if record_id is None:
            return self._add(draft)
        return self._change(draft, record_id, matched_by)

    def _find(self, draft: Draft) -> tuple[int | None, str | None] | RecordFault:
        """The record that a draft updates, and the field that found it; no id if it is new."""
        if not self._verb.updates:
            return None, None
        if draft.record_id is not None:
            if draft.record_id in self._heads:
                return draft.record_id, None
            return RecordFault("INVALID_DATA", UNKNOWN_ID, "id", unknown_id=True)
        if not self._verb.creates:
            return RecordFault("MANDATORY_NOT_FOUND", "required field not found", "id")
        for target in self._verb.match_by:
            holders = self._holders.holders(target.api_name, draft.keys.get(target.api_name))
            if len(holders) > 1:
                message = "several records have this value"
                return RecordFault("CANNOT_PROCESS", message, target.api_name)
            if holders:
                return holders[0], target.api_name
        return None, None

    def _duplicates(self, draft: Draft, record_id: int | None) -> list[RecordFault]:
        faults = []
        for target in self._module.unique_fields:
            name = target.api_name
            others = [
                i for i in self._holders.holders(name, draft.keys.get(name)) if i != record_id
            ]
            if others:
                faults.append(
                    RecordFault("DUPLICATE_DATA", "duplicate data", name, holder=others[0])
                )
        return faults

    def _add(self, draft: Draft) -> WrittenRecord:
        record_id, self._next_id = self._next_id, self._next_id + 1
        columns: dict[str, Stored | None] = {**self._on_insert, **draft.columns}
        for name, value in self._defaults.items():
            if name in columns and columns[name] is None:
                columns[name] = value
        self._changes.append(RecordChange(record_id, is_new=True, columns=columns))
        self._holders.assign(record_id, draft.keys)
        author = self._author
        self._heads[record_id] = {
            "Created_By": author.person.id, "Created_Time": _stamp(author.now),
        }  # fmt: skip
        return self._written(record_id, Effect.INSERT)

    def _change(self, draft: Draft, record_id: int, matched_by: str | None) -> RecordOutcome:
        since = self._verb.unmodified_since
        if since is not None:
            modified = self._heads[record_id].get("Modified_Time")
            if modified is not None and _moment(modified) > since:
                return RecordFault(
                    "ALREADY_MODIFIED",
                    "record updated time has already passed if-unmodified-since time",
                    unmodified=self._written(record_id, Effect.UPDATE),
                )
        columns: dict[str, Stored | None] = {**self._on_update, **draft.columns}
        if columns:
            self._changes.append(RecordChange(record_id, is_new=False, columns=columns))
        self._holders.assign(record_id, draft.keys)
        return replace(self._written(record_id, Effect.UPDATE), matched_by=matched_by)

    def _written(self, record_id: int, action: Effect) -> WrittenRecord:
        head, author = self._heads[record_id], self._author
        creator = head.get("Created_By")
        created = head.get("Created_Time")
        zone = author.now.tzinfo
        return WrittenRecord(
            id=record_id,
            action=action,
            created_by=None if creator is None else Person(creator, author.people.get(creator, "")),
            created_time=None if created is None else _moment(created).astimezone(zone),
            modified_by=author.person,
            modified_time=author.now,
        )


class _Choices:
    """The picklists that take new values."""

    def __init__(self, modules: ModuleStore, module: Module, most: int) -> None:
        self._modules = modules
        self._module = module
        self._most = most
        self._fields = [f for f in module.fields if f.accepts_new_values]
        self._known: dict[str, dict[str, None]] = {}
        self._first: dict[str, int] = {}
        self._new: dict[str, list[str]] = {}

    def refresh(self, drafts: Sequence[Draft]) -> None:
        """Reads the values that others have added, if a record has one that is not known."""
        for target in self._fields:
            name = target.api_name
            known = dict.fromkeys(target.pick_list_values)
            given = {value for d in drafts for value in _choices(d, target)}
            if given - known.keys():
                added = self._modules.picklist_values(self._module, target, len(known))
                known.update(dict.fromkeys(added))
            self._known[name], self._first[name] = known, len(known)

    def full_for(self, draft: Draft) -> str | None:
        """Returns the picklist that does not take the values of a record; None if all do."""
        for target in self._fields:
            known = self._known[target.api_name]
            new = any(value not in known for value in _choices(draft, target))
            if new and len(known) >= self._most:
                return target.api_name
        return None

    def take(self, draft: Draft) -> None:
        """Adds the values of a record that is written."""
        for target in self._fields:
            name = target.api_name
            for value in _choices(draft, target):
                if value not in self._known[name]:
                    self._known[name][value] = None
                    self._new.setdefault(name, []).append(value)

    def grow(self) -> None:
        """Stores the new values."""
        for target in self._fields:
            values = self._new.get(target.api_name)
            if values:
                first = self._first[target.api_name]
                self._modules.grow_picklist(self._module, target, first, values)


def _choices(draft: Draft, target: Field) -> Sequence[str]:
    value = draft.columns.get(target.api_name)
    if value is None:
        return ()
    if target.storage_type is StorageType.LIST:
        return tuple(json.loads(str(value)))
    return (str(value),)


def _stamp(stamp: int | datetime) -> Stored:
    return stamp if isinstance(stamp, int) else f"{stamp.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _moment(stored: object) -> datetime:
    return datetime.fromisoformat(str(stored))
