# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of VMs that lose no time, made and changed without the code under test, and the files that describe a fleet of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from integration.support.api import Api, Object, eventually
from integration.support.manifests import HASH, autoscaler, await_counts, replica_set

DIAL = "sandbox.vmscale.kubevirt/"
QUICK = {f"{DIAL}{what}": "0" for what in ("boot-seconds", "boot-jitter-seconds", "shutdown-seconds")}
"""Annotations that make VMs of the sandbox boot and end at once; another cluster makes nothing of them."""


def quick_set(name: str, replicas: int, dials: Mapping[str, str] | None = None, **template: Any) -> Object:
    """Return a set of VMs that boot at once, but for what the dials say."""
    turned = {f"{DIAL}{what}": value for what, value in (dials or {}).items()}
    return replica_set(name, replicas, annotations={**QUICK, **turned}, **template)


def write_fleet(directory: Path, namespaces: Mapping[str, str | None] | None = None) -> None:
    """Write a file for each of some sets with the set and its autoscaler, which leaves it alone, by the namespaces that they name."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, namespace in (namespaces or {"blue": None, "green": None}).items():
        bodies: list[Object] = [quick_set(name, 1), autoscaler(name, name, 1, 3, cpu=10000)]
        for body in bodies if namespace else ():
            body["metadata"]["namespace"] = namespace
        (directory / f"{name}.yaml").write_text(yaml.safe_dump_all(bodies), encoding="utf-8")


def start(api: Api, namespace: str, body: Object, template_hash: str = "first") -> list[str]:
    """Create a set whose template has that hash; returns the names of its VMIs once all are ready."""
    body["spec"]["template"]["metadata"]["labels"][HASH] = template_hash
    api.create("vmirs", namespace, body)
    name, number = body["metadata"]["name"], body["spec"]["replicas"]
    await_counts(api, namespace, name, number)
    return names(api, namespace)


def names(api: Api, namespace: str) -> list[str]:
    """Return the names of the VMIs of a namespace that nobody has deleted."""
    return [item["metadata"]["name"] for item in api.items("vmis", namespace) if "deletionTimestamp" not in item["metadata"]]


def change_template(api: Api, namespace: str, name: str, template_hash: str, **spec: Any) -> None:
    """Give the template another hash, and more fields, which no VMI takes notice of."""
    patch = {"metadata": {"labels": {HASH: template_hash}}, "spec": spec}
    api.merge("vmirs", namespace, name, {"spec": {"template": patch}})


def unready(api: Api, namespace: str, instance: str) -> None:
    """Make a VMI of the sandbox lose its readiness; returns once it has."""
    api.merge("vmis", namespace, instance, {"metadata": {"annotations": {f"{DIAL}fault": "not-ready"}}})
    eventually(f"{instance} to be unready", lambda: is_ready(api.get("vmis", namespace, instance)), lambda ready: not ready, 30)


def is_ready(instance: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in instance.get("status", {}).get("conditions", []))
