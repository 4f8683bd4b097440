"""The credentials of `serve --dev`: an org, its user and a client, in a file of the data folder."""

from __future__ import annotations

import json

from bulkwright.domain import scope
from bulkwright.emulator.credentials import credentials, write_credentials
from bulkwright.runtime.errors import CannotServe
from bulkwright.runtime.listen_address import Address
from bulkwright.services import Services
from bulkwright.settings import Settings


def write_dev_credentials(settings: Settings, services: Services, address: Address) -> None:
    """Writes `dev-credentials.json`, with a new access token and the URL of this start.

    The file is written before the transaction commits. If the process is killed between the two,
    the next start writes it again. Raises CannotServe when the org was not made by --dev.
    """
    path = settings.credentials_path
    with services.database.transaction():
        services.accounts.lock_orgs()
        made = _make_credentials(settings, services, address)
        write_credentials(path, made)


def _make_credentials(
    settings: Settings, services: Services, address: Address
) -> dict[str, object]:
    path = settings.credentials_path
    if not services.accounts.orgs():
        return credentials(services.setup.dev_setup(), address.url)
    if not path.is_file():
        raise CannotServe(
            f"{settings.data} has an org that --dev did not create; "
            "serve it without --dev, or choose another folder with --data."
        )
    stored = json.loads(path.read_text("utf-8"))
    client = services.accounts.client(stored["client_id"])
    if client is None:
        raise CannotServe(f"{path} does not belong to this data folder; delete it.")
    token = services.tokens.issue_access(client, scope.EVERY)
    urls = dict.fromkeys(("base_url", "accounts_url", "upload_url"), address.url)
    return {**stored, **urls, "access_token": token}
