# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users with few rights: service accounts of a namespace, each with a token and a kubeconfig."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from integration.support.ansible import Ansible
from integration.support.api import Api

SETS, INSTANCES = "virtualmachineinstancereplicasets", "virtualmachineinstances"
REVISIONS, BUDGETS = "controllerrevisions", "poddisruptionbudgets"
USER = "tester"
"""The name of the account of a test."""
AsUser = Callable[[Mapping[str, tuple[str, ...]]], Ansible]
"""Makes an `Ansible` of an account with such rights."""
GROUPS = {REVISIONS: "apps", BUDGETS: "policy"}
"""The API groups of what is not KubeVirt's."""
READ = ("get", "list", "watch")
MAY_PATCH: dict[str, tuple[str, ...]] = {SETS: (*READ, "patch"), INSTANCES: (*READ, "delete")}
"""May patch the set, and see and delete its VMIs."""
MAY_SCALE: dict[str, tuple[str, ...]] = {SETS: READ, INSTANCES: READ, f"{SETS}/scale": ("get", "patch")}
"""May see the set and its VMIs, and set the number by its subresource."""
MAY_ROLL_OUT: dict[str, tuple[str, ...]] = {**MAY_PATCH, REVISIONS: ("list", "create", "delete"), BUDGETS: ("list", "watch")}
"""All that a rollout needs of a set that exists."""


def without(rights: Mapping[str, tuple[str, ...]], resource: str, verb: str | None = None) -> dict[str, tuple[str, ...]]:
    """Return the rights but for a verb on a resource, or for all on it."""
    left = () if verb is None else tuple(each for each in rights[resource] if each != verb)
    return {**{key: verbs for key, verbs in rights.items() if key != resource}, **({resource: left} if left else {})}


def refusal(namespace: str, name: str, verb: str, resource: str) -> str:
    """Return the sentence that the account gets where that right is missing."""
    main, slash, subresource = resource.partition("/")
    what = f"{main}.{GROUPS.get(main, 'kubevirt.io')}{slash}{subresource}"
    return (
        f'User "system:serviceaccount:{namespace}:{name}" may not {verb} {what} in namespace "{namespace}": a Role or ClusterRole '
        f'must grant the verb "{verb}" on {what}.'
    )


def account(api: Api, admin: Path, namespace: str, name: str, rights: Mapping[str, tuple[str, ...]], directory: Path) -> Path:
    """Return the kubeconfig of a new account with rights on resources in its namespace."""
    rules = [
        {"apiGroups": [GROUPS.get(resource, "kubevirt.io")], "resources": [resource], "verbs": list(verbs)}
        for resource, verbs in rights.items()
    ]
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    role = {"kind": "Role", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    api.create("serviceaccounts", namespace, {"metadata": {"name": name}})
    api.create("roles", namespace, {"metadata": {"name": name}, "rules": rules})
    api.create("rolebindings", namespace, {"metadata": {"name": name}, "subjects": [subject], "roleRef": role})
    request: dict[str, Any] = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = api.call("POST", f"{api.path('serviceaccounts', namespace, name)}/token", request)
    document = yaml.safe_load(admin.read_text(encoding="utf-8"))
    document["users"] = [{"name": each["name"], "user": {"token": answer["status"]["token"]}} for each in document["users"]]
    path = directory / f"{name}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
