# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights of a job template, as the manifests in playbooks/files/rbac give them, and what was asked for."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any

import yaml

from dev.paths import CHECKOUT
from integration.support.api import Api, eventually
from integration.support.audit import Request

MANIFESTS = CHECKOUT / "playbooks" / "files" / "rbac"
COLLECTIONS = {"ServiceAccount": "serviceaccounts", "Secret": "secrets", "Role": "roles", "RoleBinding": "rolebindings"}
URI = re.compile(r"/apis?/(?:(?P<group>[a-z0-9.-]*\.[a-z0-9.-]*|apps|autoscaling|policy)/)?v\w+/namespaces/[^/]+/(?P<resource>\w+)")
Right = tuple[str, str, str]
"""API group, resource and verb."""


def manifests(playbook: str) -> list[dict[str, Any]]:
    """Return the objects of a playbook's manifest."""
    found: list[dict[str, Any]] = yaml.safe_load((MANIFESTS / f"{playbook}.yml").read_text(encoding="utf-8"))["items"]
    return found


def granted(playbook: str) -> set[Right]:
    """Return the rights that the manifest grants."""
    (role,) = (document for document in manifests(playbook) if document["kind"] == "Role")
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def asked(requests: Iterable[Request]) -> set[Right]:
    """Return the rights that these requests need."""
    found = ((URI.match(request.uri), request.verb) for request in requests)
    return {(match["group"] or "", match["resource"], verb) for match, verb in found if match}


def grant(api: Api, namespace: str, playbook: str, without: Right | None = None) -> str:
    """Apply the manifest of a playbook to a namespace, less a right where one is named; returns the token."""
    for document in manifests(playbook):
        if document["kind"] == "Role" and without is not None:
            document["rules"] = [rule for each in document["rules"] for rule in _without(each, without)]
        api.create(COLLECTIONS[document["kind"]], namespace, document)
    secret = eventually(
        f"the token of {playbook}",
        lambda: api.get("secrets", namespace, f"vmscale-{playbook}"),
        lambda live: "token" in live.get("data", {}),
        30,
    )
    return base64.b64decode(secret["data"]["token"]).decode()


def _without(rule: dict[str, Any], right: Right) -> list[dict[str, Any]]:
    group, resource, verb = right
    if group not in rule["apiGroups"] or resource not in rule["resources"]:
        return [rule]
    left = [each for each in rule["verbs"] if each != verb]
    return [{**rule, "verbs": left}] if left else []
