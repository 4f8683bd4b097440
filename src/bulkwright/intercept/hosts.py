"""The hosts by which programs reach Zoho CRM, in every data centre."""

from __future__ import annotations

import re

_COUNTRY = r"[a-z]{2,3}(?:\.[a-z]{2})?"
"""The end of a data centre's domain: com, eu, in, com.au, com.cn, jp, ca, sa, uk and later ones."""
_ZOHO = re.compile(
    rf"(?:[a-z0-9-]+\.)*zohoapis\.{_COUNTRY}"
    rf"|(?:accounts|content|upload|download|download-accl|crm|crmsandbox)\.zoho\.{_COUNTRY}"
    r"|(?:accounts|content|upload|download|crm)\.zohocloud\.ca"
    r"|(?:[a-z0-9-]+\.)+zohoplatform\.com",
    re.ASCII,
)
PATTERN = f"^(?:{_ZOHO.pattern})$"
"""The hosts as a regular expression of JavaScript, in lower case."""
_ACCOUNTS = re.compile(rf"accounts\.(?:zoho\.({_COUNTRY})|zohocloud\.(ca))", re.ASCII)


def is_zoho(host: str) -> bool:
    """Returns whether a host, without a port, is one of Zoho's."""
    return _ZOHO.fullmatch(host.lower().rstrip(".")) is not None


def api_domain(host: str) -> str:
    """Returns the URL of the API of the data centre to which an accounts host belongs."""
    found = _ACCOUNTS.fullmatch(host.lower())
    return f"https://www.zohoapis.{(found[1] or found[2]) if found else 'com'}"
