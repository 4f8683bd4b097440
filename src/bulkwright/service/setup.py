"""Creates what the first request needs: orgs, users, OAuth clients."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain import scope
from bulkwright.domain.account import ClientKind, OAuthClient, Org, Role, User
from bulkwright.domain.account_values import check_currency, check_email, check_name
from bulkwright.domain.audit import Action, Actor
from bulkwright.domain.endpoint import parse_endpoint
from bulkwright.service.audit import AuditLog
from bulkwright.service.schema import SchemaService
from bulkwright.service.tokens import TokenService, hashed
from bulkwright.store.accounts import AccountStore
from bulkwright.store.modules import ModuleStore


class UnknownTimeZone(Exception):
    """A name that no time zone has."""


SAMPLE_CLIENT_ID = "1000.NPY9M1V0XXXXXXXXXXXXXXXXXXXF7H"
"""The JavaScript client in the founding page's sample."""
SAMPLE_REDIRECT = "http://127.0.0.1:5500/redirect.html"
"""The redirect URI of that sample."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A new OAuth client and its secret, which is never shown again."""

    client: OAuthClient
    secret: str | None


@dataclass(frozen=True, slots=True)
class DevelopmentSetup:
    """An org, its user and a client with tokens, for development."""

    org: Org
    user: User
    registered: Registered
    refresh_token: str
    access_token: str


class SetupService:
    """Creates orgs, users and clients. Over HTTP only the console registers clients.

    `actor` creates them, for the audit log; None is the operator of this process.
    """

    def __init__(
        self,
        accounts: AccountStore,
        modules: ModuleStore,
        schema: SchemaService,
        tokens: TokenService,
        audit: AuditLog,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._accounts = accounts
        self._modules = modules
        self._schema = schema
        self._tokens = tokens
        self._audit = audit
        self._clock = clock

    def create_org(
        self,
        company_name: str,
        *,
        time_zone: str = "UTC",
        currency: str = "USD",
        dev: bool = False,
        actor: Actor | None = None,
    ) -> Org:
        """Creates an org with the standard modules and no users.

        Raises UnknownTimeZone, and InvalidData for a name or a currency that cannot be one.
        """
        check_name(company_name, "the name of the org")
        check_currency(currency)
        org = Org(
            id=self._free_zgid(),
            record_id=self._modules.take_ids(1),
            company_name=company_name,
            time_zone=time_zone,
            currency=currency,
            created_time=self._clock.now().astimezone(_zone(time_zone)),
            dev=dev,
        )
        with self._accounts.transaction():
            self._accounts.add_org(org)
            self._schema.add_standard_modules(org.id)
            self._audit.record(Action.ORG_ADDED, actor, org_id=org.id)
        return org

    def create_user(  # wide: the fields of a user, and who adds it
        self,
        org: Org,
        first_name: str,
        last_name: str,
        email: str,
        *,
        time_zone: str = "",
        role: Role = Role.ADMINISTRATOR,
        actor: Actor | None = None,
    ) -> User:
        """Creates a user of an org; the time zone is that of the org if it is empty.

        Raises UnknownTimeZone, and InvalidData for a name or an e-mail that cannot be one.
        """
        check_name(first_name, "the first name", may_be_empty=True)
        check_name(last_name, "the last name")
        check_email(email)
        zone = time_zone or org.time_zone
        user = User(
            id=self._modules.take_ids(1),
            org_id=org.id,
            first_name=first_name,
            last_name=last_name,
            email=email,
            time_zone=zone,
            created_time=self._clock.now().astimezone(_zone(zone)),
            role=role,
        )
        with self._accounts.transaction():
            self._accounts.add_user(user)
            self._audit.record(
                Action.USER_ADDED, actor, org_id=org.id, user_id=user.id, detail=role.value
            )
        return user

    def register_client(
        self,
        user: User,
        kind: ClientKind,
        name: str,
        *,
        redirect_uris: tuple[str, ...] = (),
        client_id: str = "",
        actor: Actor | None = None,
    ) -> Registered:
        """Registers an OAuth client of a user's org; a JavaScript client has no secret (facts 7.3).

        Raises InvalidEndpoint for a redirect URI that is ambiguous, or that is not http(s), and
        InvalidData for a name that cannot be one.
        """
        check_name(name, "the name of the client")
        for uri in redirect_uris:
            parse_endpoint(uri)
        secret = None if kind is ClientKind.JAVASCRIPT else new_secret()
        client = OAuthClient(
            client_id=client_id or _client_id(),
            org_id=user.org_id,
            user_id=user.id,
            kind=kind,
            name=name,
            secret_hash=None if secret is None else hashed(secret),
            redirect_uris=redirect_uris,
        )
        with self._accounts.transaction():
            self._accounts.add_client(client)
            self._audit.record(
                Action.CLIENT_ADDED,
                actor,
                org_id=client.org_id,
                user_id=client.user_id,
                client_id=client.client_id,
                detail=kind.value,
            )
        return Registered(client, secret)

    def dev_setup(self) -> DevelopmentSetup:
        """Creates an org, a user and two OAuth clients for development.

        The access token lives as long as any other, the refresh token forever; both carry every
        scope. The second client is that of the founding page's JavaScript sample, so that the
        sample runs with only its hosts replaced.
        """
        org = self.create_org("Zylker", time_zone="America/Los_Angeles", dev=True)
        user = self.create_user(org, "Patricia", "Boyle", "patricia.boyle@zylker.example")
        made = self.register_client(user, ClientKind.SELF, "Development")
        self.register_client(
            user,
            ClientKind.JAVASCRIPT,
            "Sample of the documentation",
            redirect_uris=(SAMPLE_REDIRECT,),
            client_id=SAMPLE_CLIENT_ID,
        )
        return self._with_tokens(org, user, made)

    def another_dev_setup(self, company_name: str) -> DevelopmentSetup:
        """Creates a further org, a user and a client for development; otherwise as `dev_setup`.

        Raises InvalidData for a name that cannot be one.
        """
        with self._accounts.transaction():
            org = self.create_org(company_name, time_zone="America/Los_Angeles", dev=True)
            email = f"patricia.boyle@org{org.id}.example"
            user = self.create_user(org, "Patricia", "Boyle", email)
            made = self.register_client(user, ClientKind.SELF, "Development")
            return self._with_tokens(org, user, made)

    def _with_tokens(self, org: Org, user: User, made: Registered) -> DevelopmentSetup:
        return DevelopmentSetup(
            org=org,
            user=user,
            registered=made,
            refresh_token=self._tokens.issue_refresh(made.client, scope.EVERY),
            access_token=self._tokens.issue_access(made.client, scope.EVERY),
        )

    def _free_zgid(self) -> int:
        """Returns a number of eight or nine digits that no org has."""
        while True:
            number = 10_000_000 + secrets.randbelow(990_000_000)
            if self._accounts.org(number) is None:
                return number


def new_secret() -> str:
    """Returns a new secret of an OAuth client, with 192 random bits."""
    return secrets.token_hex(24)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a folder of zones, such as Europe
        raise UnknownTimeZone(name) from None


def _client_id() -> str:
    # `1000.` and upper-case alphanumerics (facts 7.2).
    letters = string.ascii_uppercase + string.digits
    return "1000." + "".join(secrets.choice(letters) for _ in range(30))
