"""The environment of a program whose calls to Zoho are intercepted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bulkwright.intercept.hosts import PATTERN
from bulkwright.intercept.proxy import Ports

_HOOK = Path(__file__).with_name("node_hook.cjs")
_PYTHON_HOOK = str(Path(__file__).with_name("python_hook"))
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name all authorities: of OpenSSL (Python, Ruby), of requests, of curl."""
_LOCAL = "localhost,127.0.0.1,::1"


def environment(
    inherited: Mapping[str, str], ports: Ports, ca: Path, bundle: Path, *, only_zoho: bool
) -> dict[str, str]:
    """Returns the variables of the program: those of this process, with proxy and authority.

    `ca` is the certificate of the run's authority, `bundle` the same with all that are trusted, in
    the folder of the settings of PHP.
    """
    proxy = f"http://127.0.0.1:{ports.proxy}"
    never = ",".join(filter(None, (_LOCAL, inherited.get("NO_PROXY") or inherited.get("no_proxy"))))
    changed = {
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), proxy),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), never),
        **dict.fromkeys(_BUNDLES, str(bundle)),
        "NODE_EXTRA_CA_CERTS": str(ca),
        "NODE_OPTIONS": " ".join(
            filter(None, (inherited.get("NODE_OPTIONS"), f'--require "{_HOOK}"'))
        ),
        # An empty part stands for the folder of the installation.
        "PHP_INI_SCAN_DIR": f"{inherited.get('PHP_INI_SCAN_DIR', '')}{os.pathsep}{bundle.parent}",
        "PYTHONPATH": os.pathsep.join(filter(None, (_PYTHON_HOOK, inherited.get("PYTHONPATH")))),
        "BULKWRIGHT_INTERCEPT_PORT": str(ports.direct),
        "BULKWRIGHT_INTERCEPT_HOSTS": PATTERN,
        "BULKWRIGHT_INTERCEPT_ONLY_ZOHO": "1" if only_zoho else "0",
    }
    # A proxy for all schemes would come first in some clients.
    kept = {k: v for k, v in inherited.items() if k not in ("ALL_PROXY", "all_proxy")}
    return {**kept, **changed}
