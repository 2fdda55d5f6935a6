# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of a little cluster, made anew for the tests."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificates:
    """The files of an authority, of a server on 127.0.0.1, and of the client `tester`."""

    directory: Path

    def path(self, name: str) -> str:
        """Return the path of `ca.crt`, `server.crt`, `server.key`, `client.crt`, `client.key` or `other.crt`."""
        return str(self.directory / name)

    def data(self, name: str) -> bytes:
        """Return what a file holds."""
        return (self.directory / name).read_bytes()

    def server_side(self) -> ssl.SSLContext:
        """Return the TLS side of the server, which looks at the certificate of a client if there is one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("server.crt"), self.path("server.key"))
        context.load_verify_locations(self.path("ca.crt"))
        context.verify_mode = ssl.CERT_OPTIONAL
        return context


def make_certificates(directory: Path) -> Certificates:
    """Write all files."""
    authority = _issue(directory, "ca", "authority", None)
    _issue(directory, "other", "another authority", None)
    _issue(directory, "server", "server", authority, host="127.0.0.1")
    _issue(directory, "named", "named", authority, host="api.example")
    _issue(directory, "client", "tester", authority)
    return Certificates(directory)


def _issue(
    directory: Path,
    name: str,
    subject: str,
    issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None,
    host: str = "",
) -> tuple[x509.Name, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    signer, signing_key = issuer or (called, key)
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if host:
        general = x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        builder = builder.add_extension(x509.SubjectAlternativeName([general]), critical=False)
    certificate = builder.sign(signing_key, hashes.SHA256())
    (directory / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (directory / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    return called, key
