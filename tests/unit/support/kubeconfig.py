# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfigs that tests build."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import yaml

Document = dict[str, t.Any]


def kubeconfig(
    user: t.Mapping[str, t.Any] | None = None,
    cluster: t.Mapping[str, t.Any] | None = None,
    name: str = "one",
    **context: str,
) -> Document:
    """Return a kubeconfig of one context."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, **context}}],
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example:6443", **(cluster or {})}}],
        "users": [{"name": name, "user": {"token": f"token-{name}"} if user is None else dict(user)}],
    }


def exec_user(token: str = "from-plugin", **more: t.Any) -> Document:
    """Return a user whose token an exec plugin prints."""
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}}
    script = f"echo '{json.dumps(credential)}'"
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script], "interactiveMode": "Never"}
    return {"exec": {**plugin, **more}}


def write(path: Path, document: Document) -> str:
    """Write a kubeconfig, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return str(path)
