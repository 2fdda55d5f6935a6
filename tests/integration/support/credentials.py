# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials of the sandbox's operator in every form, and some that are wrong."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sandbox.state import Sandbox as State


@dataclass(frozen=True)
class Credentials:
    """What a kubeconfig holds, and the files beside it."""

    server: str
    ca_file: Path
    wrong_ca_file: Path
    client_cert: Path
    client_key: Path
    token: str
    kubeconfig: Mapping[str, Any]


def read_credentials(sandbox: str) -> Credentials:
    """Return the credentials of the operator of a sandbox."""
    state = State.named(sandbox)
    document = json.loads(state.kubeconfig("operator").read_text(encoding="utf-8"))
    return Credentials(
        server=document["clusters"][0]["cluster"]["server"],
        ca_file=state.certificates / "ca.crt",
        wrong_ca_file=state.certificates / "front-proxy-ca.crt",
        client_cert=state.certificates / "operator.crt",
        client_key=state.certificates / "operator.key",
        token=json.loads(state.kubeconfig("operator-token").read_text(encoding="utf-8"))["users"][0]["user"]["token"],
        kubeconfig=document,
    )


def expired_token(sandbox: str, namespace: str, account: str) -> str:
    """Return a token that the sandbox's API server signed, so to speak, and that has expired."""
    key = load_pem_private_key((State.named(sandbox).certificates / "service-account.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = int(time.time())
    issuer = "https://kubernetes.default.svc"
    claims = {
        "iss": issuer,
        "aud": [issuer],
        "iat": now - 7200,
        "nbf": now - 7200,
        "exp": now - 3600,
        "sub": f"system:serviceaccount:{namespace}:{account}",
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": "0"}},
    }
    signed = ".".join(_encode(json.dumps(part).encode()) for part in ({"alg": "ES256", "typ": "JWT"}, claims))
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
