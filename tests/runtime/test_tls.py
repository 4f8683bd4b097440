"""The server speaks HTTPS itself when it has a certificate."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.support.program import program, refused
from tests.support.uploads import zipped

from bulkwright.testing import ServerProcess

pytestmark = pytest.mark.slow


def make_certificate(folder: Path, name: str = "server") -> tuple[Path, Path]:
    """A certificate for this machine that signs itself, and its key: the paths of two PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}-key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    return paths


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, pair: tuple[Path, Path]
) -> Iterator[ServerProcess]:
    """A server with that certificate."""
    data = tmp_path_factory.mktemp("served") / "data"
    options = ("--tls-certificate", str(pair[0]), "--tls-key", str(pair[1]))
    with ServerProcess(data, *options) as process:
        yield process


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_job_over_https(
    served: ServerProcess, pair: tuple[Path, Path], version: ssl.TLSVersion
) -> None:
    """Every URL that clients are given is https; TLS 1.2 is spoken too."""
    assert served.base_url.startswith("https://")
    context = ssl.create_default_context(cafile=pair[0])
    context.maximum_version = version
    credentials = json.loads((served.data / "dev-credentials.json").read_text())
    assert {credentials[name] for name in ("base_url", "accounts_url", "upload_url")} == {
        served.base_url
    }
    with httpx2.Client(base_url=served.base_url, verify=context) as http:
        form = {
            "grant_type": "refresh_token",
            **{name: credentials[name] for name in ("client_id", "client_secret", "refresh_token")},
        }
        granted = http.post("/oauth/v2/token", data=form).json()
        assert granted["api_domain"] == served.base_url
        http.headers["Authorization"] = f"Zoho-oauthtoken {granted['access_token']}"
        headers = {"feature": "bulk-write", "X-CRM-ORG": credentials["org_id"]}
        files = {"file": ("leads.zip", zipped())}
        file_id = http.post("/crm/v2/upload", headers=headers, files=files).json()["details"]
        resource = {"type": "data", "module": "Leads", "file_id": file_id["file_id"]}
        body = {"operation": "insert", "resource": [resource]}
        answer = http.post("/crm/bulk/v2/write", json=body)
        assert answer.status_code == 201
        # A browser would refuse every other server of this name, so --dev does not ask for it.
        assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"])
def test_a_connection_without_a_handshake_is_closed(served: ServerProcess, sent: bytes) -> None:
    """It says nothing, a part of a handshake, or speaks HTTP."""
    address = urlsplit(served.base_url)
    with closing(socket.create_connection((address.hostname, address.port), timeout=60)) as silent:
        silent.sendall(sent)
        try:
            rest = silent.recv(1000)
        except ConnectionResetError:
            rest = b""
        assert b"HTTP" not in rest


def test_files_that_are_no_certificate_are_refused(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """One line names the option or both files."""
    certificate, key = pair
    other = make_certificate(tmp_path, "other")
    text = tmp_path / "text.pem"
    text.write_text("no certificate")

    def rejection(*options: object) -> str:
        return refused(program(tmp_path, "serve", "--dev", "--data", "D", "--port", 0, *options))

    assert "given together" in rejection("--tls-certificate", certificate)
    missing = rejection("--tls-certificate", certificate, "--tls-key", tmp_path / "none.pem")
    assert "--tls-key" in missing and "No such file" in missing
    for wrong in ((certificate, other[1]), (text, key), (certificate, certificate)):
        line = rejection("--tls-certificate", wrong[0], "--tls-key", wrong[1])
        assert "are not a certificate and its key" in line
    assert not (tmp_path / "D").exists()
