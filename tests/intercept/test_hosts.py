"""Which hosts are Zoho's."""

from __future__ import annotations

import re

import pytest

from bulkwright.intercept.hosts import PATTERN, api_domain, is_zoho

ZOHO = [
    "www.zohoapis.com",
    "www.zohoapis.eu",
    "www.zohoapis.com.au",
    "www.zohoapis.com.cn",
    "www.zohoapis.in",
    "www.zohoapis.jp",
    "www.zohoapis.ca",
    "www.zohoapis.sa",
    "www.zohoapis.uk",
    "zohoapis.com",
    "sandbox.zohoapis.com",
    "developer.zohoapis.eu",
    "content.zohoapis.com",
    "content.zohoapis.com.au",
    "accounts.zoho.com",
    "accounts.zoho.eu",
    "accounts.zoho.com.cn",
    "accounts.zohocloud.ca",
    "content.zoho.com",
    "upload.zoho.eu",
    "download.zoho.in",
    "download-accl.zoho.com",
    "crm.zoho.com",
    "crmsandbox.zoho.com",
    "plugin.zohoplatform.com",
    "a.b.zohoplatform.com",
    "WWW.ZohoApis.COM",
]
OTHERS = [
    "zoho.com",
    "www.zoho.com",
    "zohoapis.com.evil.example",
    "evilzohoapis.com",
    "localhost",
    "127.0.0.1",
    "accounts.google.com",
    "www.zohoapis.com.attacker.net",
    "zohoplatform.com",
    "desk.zoho.com",
]


@pytest.mark.parametrize("host", ZOHO)
def test_hosts_of_zoho(host: str) -> None:
    """Of all data centres. Node compares by the same expression."""
    assert is_zoho(host)
    assert re.search(PATTERN, host.lower())


@pytest.mark.parametrize("host", OTHERS)
def test_other_hosts(host: str) -> None:
    """No certificate is made for them."""
    assert not is_zoho(host)


@pytest.mark.parametrize(
    ("accounts", "domain"),
    [
        ("accounts.zoho.com", "https://www.zohoapis.com"),
        ("accounts.zoho.com.au", "https://www.zohoapis.com.au"),
        ("accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    ],
)
def test_the_api_of_a_data_centre(accounts: str, domain: str) -> None:
    """Programs call what the token endpoint names."""
    assert api_domain(accounts) == domain
