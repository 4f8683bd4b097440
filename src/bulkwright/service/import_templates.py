"""Keeps the choices of imports under names, for the users of an org."""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.domain.account import Caller
from bulkwright.domain.audit import Action, Actor
from bulkwright.domain.errors import (
    InvalidField,
    LimitExceeded,
    ModuleNotAvailable,
    ResourceNotFound,
)
from bulkwright.domain.import_template import (
    ImportChoices,
    ImportTemplate,
    TemplateEntry,
    check_template_name,
    target_of,
)
from bulkwright.domain.limits import TEMPLATES_OF_ORG
from bulkwright.service.audit import AuditLog
from bulkwright.service.columns import FieldNames, find_by_name
from bulkwright.store.import_templates import TemplateStore
from bulkwright.store.modules import ModuleStore


@dataclass(frozen=True, slots=True)
class ImportTemplates:
    """The import templates of a deployment. All users of an org share them."""

    store: TemplateStore
    modules: ModuleStore
    audit: AuditLog

    def of_org(self, org_id: int) -> list[TemplateEntry]:
        """Returns the templates of an org, by name."""
        return self.store.of_org(org_id)

    def template(self, org_id: int, name: str) -> ImportTemplate:
        """Returns one template. Raises ResourceNotFound."""
        found = self.store.template(org_id, name)
        if found is None:
            raise ResourceNotFound
        return found

    def save(
        self, caller: Caller, name: str, choices: ImportChoices, actor: Actor
    ) -> ImportTemplate:
        """Adds a template, or replaces the one of its name; returns it.

        Raises InvalidData for a name that is none, InvalidField for a field that the module does
        not have, LimitExceeded, ModuleNotAvailable.
        """
        check_template_name(name)
        self._check(caller.org_id, choices)
        org_id = caller.org_id
        with self.store.transaction():
            is_new = self.store.template(org_id, name) is None
            if is_new and self.store.number(org_id) >= TEMPLATES_OF_ORG:
                raise LimitExceeded(
                    f"The org has {TEMPLATES_OF_ORG} import templates. Delete one, or replace it"
                )
            self.store.save(org_id, caller.user_id, name, choices)
            self.audit.record(
                Action.TEMPLATE_SAVED, actor, org_id=org_id, user_id=caller.user_id, detail=name
            )
        return self.template(org_id, name)

    def delete(self, caller: Caller, name: str, actor: Actor) -> None:
        """Deletes a template. Raises ResourceNotFound."""
        with self.store.transaction():
            if not self.store.delete(caller.org_id, name):
                raise ResourceNotFound
            self.audit.record(
                Action.TEMPLATE_DELETED,
                actor,
                org_id=caller.org_id,
                user_id=caller.user_id,
                detail=name,
            )

    def _check(self, org_id: int, choices: ImportChoices) -> None:
        module = self.modules.module(org_id, choices.module)
        if module is None or not module.bulk_write:
            raise ModuleNotAvailable(details={"json_path": "$.module"})
        if choices.find_by is not None:
            find_by_name(choices.find_by, module)
        elif choices.operation.updates:
            raise InvalidField(f"To {choices.operation.value} records, give find_by")
        names = FieldNames(module)
        for text in choices.columns.values():
            if text:
                names.field(target_of(text)[0])
        for name in choices.defaults:
            names.field(name)
