"""Points the official Python SDKs at a server. They are imported when they are used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any


def initialize_sdk(known: Mapping[str, Any], folder: Path) -> str:
    """Initialise the SDK that is installed: zohocrmsdk8-0, zohocrmsdk2-1 or zohocrmsdk2-0.

    `known` are the credentials, `folder` is where the SDK keeps tokens, fields and its log. Returns
    the name of the package that was found. Raises ImportError if there is none.
    """
    for package, wants_user in (("zohocrmsdk", False), ("zcrmsdk", True)):
        try:
            api = import_module(f"{package}.src.com.zoho.crm.api")
        except ModuleNotFoundError:
            continue
        _initialize(package, api, known, folder, wants_user=wants_user)
        return package
    raise ImportError("install an SDK: pip install zohocrmsdk8_0")


def _initialize(
    package: str, api: Any, known: Mapping[str, Any], folder: Path, *, wants_user: bool
) -> None:
    def module(name: str) -> Any:
        return import_module(f"{package}.src.com.zoho.{name}")

    data_center = module("crm.api.dc").DataCenter
    log = module("api.logger").Logger
    urls = known["base_url"], known["accounts_url"] + "/oauth/v2/token", known["upload_url"]
    user = known["user"]["email"]
    more = {"user": api.UserSignature(user)} if wants_user else {}
    api.Initializer.initialize(
        environment=data_center.Environment(*urls, *(["local"] if wants_user else [])),
        token=module("api.authenticator").OAuthToken(
            client_id=known["client_id"],
            client_secret=known["client_secret"],
            refresh_token=known["refresh_token"],
        ),
        store=module("api.authenticator.store").FileStore(str(folder / "tokens.txt")),
        # By default it would be the folder `resources` of the working directory.
        resource_path=str(folder),
        logger=log.get_instance(log.Levels.INFO, str(folder / "sdk.log")),
        **more,
    )
