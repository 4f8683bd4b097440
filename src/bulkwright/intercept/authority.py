"""A certificate authority that exists for one run, and its certificates for Zoho's hosts.

Its key is in memory only: with it, a process could pretend to be any host to the programs that
trust the certificate. It signs for no other host.
"""

from __future__ import annotations

import os
import ssl
from datetime import UTC, timedelta
from functools import cache
from pathlib import Path

import trustme

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.intercept.hosts import is_zoho

_FIRST_HOST = "www.zohoapis.com"
"""Shown to a client that does not say which host it wants (no SNI)."""
_CERTIFICATE_DAYS = 2


class Authority:
    """Signs a certificate for each host of Zoho's that a program calls."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="Bulkwright intercept")
        self.context_of = cache(self._context_of)
        """Returns the TLS context of a server of this host."""
        self.context = self._context_of(_FIRST_HOST)
        """The TLS context of a server of all of Zoho's hosts: the client names the one it wants."""
        self.context.sni_callback = self._choose

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Writes the authority's certificate, and a bundle of it with those of this machine.

        Returns the two paths. A program that reads the bundle still trusts all other sites. PHP
        reads no variable for it, so settings that name it are written beside.
        """
        alone, bundle = folder / "ca.pem", folder / "bundle.pem"
        alone.write_bytes(self._ca.cert_pem.bytes())
        bundle.write_bytes(b"\n".join((_trusted(), alone.read_bytes())))
        lines = (f'{name} = "{bundle}"\n' for name in ("curl.cainfo", "openssl.cafile"))
        (folder / "bundle.ini").write_text("".join(lines))
        return alone, bundle

    def _context_of(self, host: str) -> ssl.SSLContext:
        now = SYSTEM_CLOCK.now().astimezone(UTC).replace(tzinfo=None)
        days = timedelta(days=_CERTIFICATE_DAYS)
        certificate = self._ca.issue_cert(host, not_before=now - days, not_after=now + days)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["http/1.1"])
        certificate.configure_cert(context)
        return context

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, host: str | None, _: ssl.SSLContext
    ) -> int | None:
        if host is None:
            return None
        if not is_zoho(host):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self.context_of(host.lower())
        return None


def _trusted() -> bytes:
    """Returns the certificates that programs of this machine trust, as PEM."""
    paths = ssl.get_default_verify_paths()
    named = os.environ.get("SSL_CERT_FILE"), os.environ.get("REQUESTS_CA_BUNDLE"), paths.cafile
    for path in filter(None, named):
        if Path(path).is_file():
            return Path(path).read_bytes()
    # A machine may have a folder of certificates only, or none.
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, found)).encode()
