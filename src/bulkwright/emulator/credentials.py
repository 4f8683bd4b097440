"""What a program needs to call an org of the emulator, as the keys of `dev-credentials.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bulkwright.service.setup import DevelopmentSetup


def credentials(setup: DevelopmentSetup, base_url: str) -> dict[str, object]:
    """Returns the credentials of an org that was just made."""
    user = setup.user
    return {
        "base_url": base_url,
        "accounts_url": base_url,
        "upload_url": base_url,
        "org_id": str(setup.org.id),
        "user": {"id": str(user.id), "name": user.name, "email": user.email},
        "client_id": setup.registered.client.client_id,
        "client_secret": setup.registered.secret,
        "refresh_token": setup.refresh_token,
        "access_token": setup.access_token,
    }


def write_credentials(path: Path, made: Mapping[str, object]) -> None:
    """Writes the credentials file, which only its owner can read, in place of an earlier one."""
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(made, file, indent=2)
        file.write("\n")
    new.replace(path)
