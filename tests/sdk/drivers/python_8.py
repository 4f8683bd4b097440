"""Drives zohocrmsdk8-0."""

from __future__ import annotations

from python_steps import Driver
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm import api
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter, USDataCenter


class Driver8(Driver):
    """The SDK of version 8.0, which asks for a token, the user and the org while initialising."""

    api = api

    def initialise(self, who):
        """Initialise with a refresh token, a grant code or an access token."""
        api.Initializer.initialize(
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
        return DataCenter.Environment(*urls)

    def module(self, name):
        """A MinifiedModule."""
        made = api.modules.MinifiedModule()
        made.set_api_name(name)
        return made

    def default_value(self, value):
        """A DefaultValue."""
        made = api.bulk_write.DefaultValue()
        made.set_value(value["value"])
        return made

    def record(self, module, record_id):
        """The module is given to the class of operations."""
        operations = api.record.RecordOperations(module)
        return operations.get_record(int(record_id), api.ParameterMap(), api.HeaderMap())

    def operation(self, name, module):
        """The module is given to the class of operations."""
        return getattr(self.api.record.RecordOperations(module), name)

    def queries(self):
        """`coql` from 3.0 on."""
        return api.coql, api.coql.CoqlOperations

    def field(self):
        """A MinifiedField."""
        return api.fields.MinifiedField()

    def job_id(self, digits):
        """A text."""
        return digits


Driver8().run()
