"""Drives zohocrmsdk2-0 and zohocrmsdk2-1, which differ in one class: 2.1 has modules as objects."""

from __future__ import annotations

from functools import partial

from python_steps import Driver
from zcrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zcrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zcrmsdk.src.com.zoho.api.logger import Logger
from zcrmsdk.src.com.zoho.crm import api
from zcrmsdk.src.com.zoho.crm.api.dc import DataCenter, USDataCenter


class Driver2(Driver):
    """The SDKs of versions 2.0 and 2.1."""

    api = api

    def initialise(self, who):
        """Initialise with a refresh token, a grant code or an access token."""
        api.Initializer.initialize(
            user=api.UserSignature(who["email"]),
            environment=self.environment(who),
            token=OAuthToken(**who["token"]),
            store=FileStore(who["store"]),
            logger=Logger.get_instance(Logger.Levels.INFO, "sdk.log"),
        )

    def environment(self, who):
        """The hosts of Zoho where none are given."""
        if "base_url" not in who:
            return USDataCenter.PRODUCTION()
        urls = who["base_url"], who["accounts_url"] + "/oauth/v2/token", who["upload_url"]
        return DataCenter.Environment(*urls, "local")

    def module(self, name):
        """A text in 2.0, a Module in 2.1."""
        if not hasattr(api.bulk_write.Resource, "get_code"):
            return name
        made = api.modules.Module()
        made.set_api_name(name)
        return made

    def default_value(self, value):
        """A plain dict."""
        return value

    def record(self, module, record_id):
        """The module is given to the call."""
        operations = api.record.RecordOperations()
        return operations.get_record(int(record_id), module, api.ParameterMap(), api.HeaderMap())

    def operation(self, name, module):
        """The module is the first argument."""
        return partial(getattr(self.api.record.RecordOperations(), name), module)

    def queries(self):
        """`query` in both versions."""
        return api.query, api.query.QueryOperations

    def field(self):
        """A Field in 2.1."""
        if not hasattr(api.bulk_read.Criteria, "set_field"):
            return None
        return api.fields.Field()

    def job_id(self, digits):
        """A number."""
        return int(digits)


Driver2().run()
