# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to hand the operator's credentials to a task."""

from __future__ import annotations

import copy
import json
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.support.credentials import Credentials

BY_CERTIFICATE = "vmscale-operator"
BY_TOKEN = "system:serviceaccount:default:vmscale-operator"


@dataclass(frozen=True)
class Form:
    """One way: options of the task, variables of its environment, and the user that the API server sees."""

    options: Mapping[str, Any]
    environment: Mapping[str, str]
    user: str


def forms(credentials: Credentials, directory: Path, admin: Path) -> dict[str, Form]:
    """Return every way by name."""
    host = {"host": credentials.server, "ca_cert": str(credentials.ca_file)}
    certificate = {"client_cert": str(credentials.client_cert), "client_key": str(credentials.client_key)}
    token_file = directory / "token"
    token_file.write_text(credentials.token + "\n", encoding="utf-8")
    plugin = directory / "credential-plugin"
    status = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": credentials.token}}
    plugin.write_text(f"#!{sys.executable}\nprint({json.dumps(json.dumps(status))})\n", encoding="utf-8")
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    by_plugin = _kubeconfig(credentials, directory / "exec.yaml", {"exec": command})
    one = _kubeconfig(credentials, directory / "one.yaml", {}, "one")
    two = f"{one}:{_kubeconfig(credentials, directory / 'two.yaml', {'token': credentials.token})}"
    environment = {
        "K8S_AUTH_HOST": credentials.server,
        "K8S_AUTH_SSL_CA_CERT": str(credentials.ca_file),
        "K8S_AUTH_API_KEY": credentials.token,
    }
    return {
        "kubeconfig with a certificate": Form({"kubeconfig": _kubeconfig(credentials, directory / "plain.yaml")}, {}, BY_CERTIFICATE),
        "kubeconfig as a mapping": Form({"kubeconfig": dict(credentials.kubeconfig)}, {}, BY_CERTIFICATE),
        "kubeconfig with a token": Form(
            {"kubeconfig": _kubeconfig(credentials, directory / "token.yaml", {"token": credentials.token})}, {}, BY_TOKEN
        ),
        "kubeconfig with a token file": Form(
            {"kubeconfig": _kubeconfig(credentials, directory / "token-file.yaml", {"tokenFile": "token"})}, {}, BY_TOKEN
        ),
        "kubeconfig with a credential plugin": Form({"kubeconfig": by_plugin}, {}, BY_TOKEN),
        "two kubeconfigs and a context": Form({"kubeconfig": two, "context": "given"}, {}, BY_TOKEN),
        "host and token": Form({**host, "api_key": credentials.token}, {}, BY_TOKEN),
        "host and certificate": Form({**host, **certificate}, {}, BY_CERTIFICATE),
        "host and token, certificates not validated": Form(
            {"host": credentials.server, "api_key": credentials.token, "validate_certs": False}, {}, BY_TOKEN
        ),
        "token in place of the kubeconfig's": Form(
            {"kubeconfig": _kubeconfig(credentials, directory / "wrong.yaml", {"token": "wrong"}), "api_key": credentials.token},
            {},
            BY_TOKEN,
        ),
        "environment": Form({}, environment, BY_TOKEN),
        "environment with a kubeconfig": Form({}, {"K8S_AUTH_KUBECONFIG": str(directory / "plain.yaml")}, BY_CERTIFICATE),
        "impersonation by the admin": Form(
            {"kubeconfig": str(admin), "impersonate_user": BY_CERTIFICATE, "impersonate_groups": ["vmscale:operators"]},
            {},
            "kubernetes-admin",
        ),
    }


def _kubeconfig(credentials: Credentials, path: Path, user: Mapping[str, Any] | None = None, name: str = "given") -> str:
    document = copy.deepcopy(dict(credentials.kubeconfig))
    cluster, given = document["clusters"][0], document["users"][0]["user"] if user is None else dict(user)
    document["clusters"] = [{"name": name, "cluster": cluster["cluster"]}]
    document["users"] = [{"name": name, "user": given}]
    document["contexts"] = [{"name": name, "context": {"cluster": name, "user": name}}]
    document["current-context"] = name
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)
