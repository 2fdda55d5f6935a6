# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificate authorities, certificates and the service account key of a sandbox."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.files import write_atomically
from sandbox.identities import CLIENTS, FRONT_PROXY

SERVER_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "virt-api.kubevirt.svc",
    "metrics-server.kube-system.svc",
)
_LIFETIME = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Authority:
    """A certificate authority that can sign."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ensure_certificates(directory: Path) -> None:
    """Write every key and certificate of a sandbox, unless that was done before."""
    done = directory / "complete"
    if done.exists():
        return
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = _authority("vmscale-sandbox-ca", directory / "ca")
    front_proxy_authority = _authority("vmscale-sandbox-front-proxy", directory / "front-proxy-ca")
    _issue(authority, directory / "server", "localhost", (), server=True)
    _issue(front_proxy_authority, directory / "front-proxy-client", FRONT_PROXY, ())
    for client in CLIENTS:
        _issue(authority, directory / client.name, client.user, client.groups)
    _write_service_account_key(directory)
    write_atomically(done, "")


def _authority(name: str, path: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        _builder(subject, subject, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(path, certificate, key)
    return Authority(certificate, key)


def _issue(authority: Authority, path: Path, user: str, groups: Sequence[str], *, server: bool = False) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, user)])
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if server else [])]
    builder = (
        _builder(subject, authority.certificate.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if server:
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(
            x509.SubjectAlternativeName([*(x509.DNSName(name) for name in SERVER_NAMES), loopback]), critical=False
        )
    _write(path, builder.sign(authority.key, hashes.SHA256()), key)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_service_account_key(directory: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_atomically(directory / "service-account.key", _private_text(key))
    write_atomically(directory / "service-account.pub", public.decode())


def _write(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write_atomically(path.with_suffix(".key"), _private_text(key))
    write_atomically(path.with_suffix(".crt"), certificate.public_bytes(serialization.Encoding.PEM).decode())


def _private_text(key: ec.EllipticCurvePrivateKey) -> str:
    # kube-apiserver reads its service account key in this format, and so do all the others.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
