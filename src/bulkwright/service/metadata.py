"""Reads what the CRM knows about itself: modules with their fields, users, the org (facts 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.account import Caller, Org, Right, User
from bulkwright.domain.errors import InvalidModule, InvalidToken, RequiredParamMissing
from bulkwright.domain.module import Module
from bulkwright.store.accounts import AccountStore
from bulkwright.store.modules import ModuleStore


@dataclass(frozen=True, slots=True)
class UserDetails:
    """A user, and what the user's time zone means at this moment."""

    user: User
    utc_offset: timedelta


@dataclass(frozen=True, slots=True)
class OrgDetails:
    """An org and its users, oldest first."""

    org: Org
    users: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class MetadataService:
    """Reads modules, users and orgs."""

    accounts: AccountStore
    modules: ModuleStore
    clock: Clock = SYSTEM_CLOCK

    def all_modules(self, caller: Caller) -> list[Module]:
        """Returns every module of the caller's org."""
        return self.modules.modules(caller.org_id)

    def module(self, caller: Caller, api_name: str | None) -> Module:
        """Returns one module with its fields.

        Raises RequiredParamMissing if the name is None or empty, InvalidModule if the org has no
        such module.
        """
        if not api_name:
            raise RequiredParamMissing(details={"param_name": "module"})
        module = self.modules.module(caller.org_id, api_name)
        if module is None:
            raise InvalidModule(details={"resource_path_index": 2})
        return module

    def module_ids(self, caller: Caller) -> dict[str, int]:
        """Returns the ids of the org's modules by their API names."""
        return self.modules.ids(caller.org_id)

    def users(self, caller: Caller, *, current_only: bool = False) -> list[UserDetails]:
        """Returns every user of the caller's org, or only the caller's own user.

        Raises AuthorizationFailed if the caller's role may read the own user only.
        """
        if not current_only:
            caller.role.require(Right.READ_METADATA)
        now = self.clock.now()
        return [
            UserDetails(user, now.astimezone(ZoneInfo(user.time_zone)).utcoffset() or timedelta())
            for user in self.accounts.users(caller.org_id)
            if not current_only or user.id == caller.user_id
        ]

    def user(self, caller: Caller, user_id: int) -> UserDetails | None:
        """Returns one user of the caller's org, or None. Raises like `users`."""
        users = self.users(caller, current_only=user_id == caller.user_id)
        return next((found for found in users if found.user.id == user_id), None)

    def org(self, caller: Caller) -> OrgDetails:
        """Returns the caller's org. Raises InvalidToken if it does not exist."""
        org = self.accounts.org(caller.org_id)
        if org is None:
            raise InvalidToken
        return OrgDetails(org, tuple(self.accounts.users(caller.org_id)))
