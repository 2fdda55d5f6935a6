# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is who in a sandbox: each component and each user has a certificate of its own, and a kubeconfig."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from sandbox.files import write_atomically
from sandbox.ports import LOOPBACK
from sandbox.state import Sandbox

FRONT_PROXY = "front-proxy-client"
OPERATOR_GROUP = "vmscale:operators"
OPERATOR_ACCOUNT = "vmscale-operator"
OPERATOR_ACCOUNT_NAMESPACE = "default"


@dataclass(frozen=True)
class Client:
    """A client certificate: the name of its files, the user and the groups that it stands for."""

    name: str
    user: str
    groups: tuple[str, ...] = ()


def _service_account(name: str, namespace: str, account: str) -> Client:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return Client(name, f"system:serviceaccount:{namespace}:{account}", groups)


# virt-api silently undoes what anyone but KubeVirt's own service accounts writes to a VMI's status, hence these names for
# virt-controller and for KWOK, which stands in for virt-handler.
CLIENTS = (
    Client("launcher", "vmscale-sandbox", ("system:masters",)),
    Client("admin", "kubernetes-admin", ("system:masters",)),
    Client("operator", "vmscale-operator", (OPERATOR_GROUP,)),
    Client("nobody", "vmscale-nobody"),
    Client("kube-controller-manager", "system:kube-controller-manager"),
    Client("kube-scheduler", "system:kube-scheduler"),
    _service_account("virt-api", "kubevirt", "kubevirt-apiserver"),
    _service_account("virt-controller", "kubevirt", "kubevirt-controller"),
    _service_account("kwok", "kubevirt", "kubevirt-handler"),
    _service_account("metrics-server", "kube-system", "metrics-server"),
)
USERS = ("admin", "operator", "operator-token", "nobody")


def write_kubeconfigs(sandbox: Sandbox, port: int) -> None:
    """Write a kubeconfig for each client certificate."""
    for client in CLIENTS:
        user = {
            "client-certificate-data": _encoded(sandbox.certificates / f"{client.name}.crt"),
            "client-key-data": _encoded(sandbox.certificates / f"{client.name}.key"),
        }
        _write(sandbox, client.name, port, user)


def write_token_kubeconfig(sandbox: Sandbox, name: str, port: int, token: str) -> None:
    """Write a kubeconfig for a bearer token."""
    _write(sandbox, name, port, {"token": token})


def _write(sandbox: Sandbox, name: str, port: int, user: dict[str, str]) -> None:
    context = f"sandbox-{sandbox.name}"
    cluster = {
        "server": f"https://{LOOPBACK}:{port}",
        "certificate-authority-data": _encoded(sandbox.certificates / "ca.crt"),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": context, "user": name, "namespace": "default"}}],
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
    }
    # JSON is YAML, and quicker to write.
    text = json.dumps(document, indent=2) + "\n"
    path = sandbox.kubeconfig(name)
    if not path.exists() or path.read_text() != text:
        write_atomically(path, text)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
