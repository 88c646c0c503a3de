"""The certificate of the browser phones' secure WebSocket: the operator's, or one that the installation makes and signs itself."""

import ipaddress
import os
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jilink.edges.voice.engine import places
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.settings import Settings, addresses

VALID = timedelta(days=825)
RENEW = timedelta(days=30)


class CertificateRefused(Refused):
    """The certificate of the settings cannot be used."""


def find(settings: Settings) -> Path:
    """Return a PEM file with chain and key: the given one, or our own, made where there is none or its end is near."""
    if settings.voice_certificate:
        given = Path(settings.voice_certificate).expanduser()
        text = given.read_text() if given.is_file() else ""
        if "BEGIN CERTIFICATE" not in text or "PRIVATE KEY" not in text:
            raise CertificateRefused("JILINK_VOICE_CERTIFICATE: %(path)s is no PEM file with certificate and key", path=given)
        return given
    own = places.folder(settings) / "own.pem"
    if not own.exists() or x509.load_pem_x509_certificate(own.read_bytes()).not_valid_after_utc < utc_now() + RENEW:
        _make(own, [host for host, _ in addresses(settings.voice_wss)] + [settings.voice_external])
    return own


def _make(path: Path, hosts: list[str]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Jilink telephone engine")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    for host in filter(None, hosts):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    now = utc_now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    parts = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
    )
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(parts)
    draft.replace(path)
