# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users and components have the rights that they should have, and no others."""

from __future__ import annotations

import pytest

from integration.sandbox.command import Command, eventually
from integration.sandbox.objects import CONFIG_MAPS, INSTANCES, REPLICA_SETS, replica_set
from sandbox.api import Api, ApiError

ALLOWED = {
    ("kubevirt.io", "virtualmachineinstancereplicasets"): {"get", "list", "watch", "create", "patch", "delete"},
    ("kubevirt.io", "virtualmachineinstancereplicasets/scale"): {"get", "patch"},
    ("kubevirt.io", "virtualmachineinstances"): {"get", "list", "watch", "delete"},
    ("apps", "controllerrevisions"): {"list", "create", "delete"},
    ("policy", "poddisruptionbudgets"): {"list", "watch"},
    ("autoscaling", "horizontalpodautoscalers"): {"get", "list", "watch", "create", "patch", "delete"},
    ("", "events"): {"get", "list", "watch"},
    ("", "pods"): {"get", "list", "watch"},
    ("metrics.k8s.io", "pods"): {"get", "list"},
    ("coordination.k8s.io", "leases"): {"get"},
    ("", "secrets"): set(),
    ("", "configmaps"): set(),
    ("", "nodes"): set(),
    ("kubevirt.io", "virtualmachines"): set(),
}
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")


def may(api: Api, verb: str, group: str, resource: str) -> bool:
    """Whether a user may do something in the default namespace."""
    main, _slash, subresource = resource.partition("/")
    attributes = {"namespace": "default", "verb": verb, "group": group, "resource": main, "subresource": subresource}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
    answer = api.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


@pytest.mark.parametrize(("group", "resource"), ALLOWED)
def test_the_operator_may_do_what_the_collection_documents(sandbox: Command, group: str, resource: str) -> None:
    api = sandbox.api("operator")
    assert {verb for verb in VERBS if may(api, verb, group, resource)} == ALLOWED[group, resource]


def test_the_operator_token_has_the_operator_s_rights(sandbox: Command) -> None:
    token = sandbox.run("token", "--user", "operator").stdout.strip()
    kubeconfig = sandbox.run("kubeconfig", "--user", "operator-token").stdout.strip()
    allowed = sandbox.run("kubectl", "--", "--kubeconfig", kubeconfig, "auth", "can-i", "create", "virtualmachineinstancereplicasets")
    refused = sandbox.run("kubectl", "--", "--kubeconfig", kubeconfig, "auth", "can-i", "get", "secrets", check=False)
    assert token
    assert (allowed.stdout.strip(), refused.stdout.strip()) == ("yes", "no")


@pytest.mark.parametrize("path", [REPLICA_SETS, INSTANCES, CONFIG_MAPS])
def test_nobody_is_known_and_refused(sandbox: Command, path: str) -> None:
    with pytest.raises(ApiError, match='"vmscale-nobody" cannot list') as refusal:
        sandbox.api("nobody").request("GET", path)
    assert refusal.value.status == 403


@pytest.mark.parametrize("client", ["kube-controller-manager", "kube-scheduler", "virt-api", "virt-controller", "kwok", "metrics-server"])
def test_no_component_is_a_master(sandbox: Command, client: str) -> None:
    api = sandbox.api(client)
    assert not may(api, "deletecollection", "rbac.authorization.k8s.io", "clusterroles")
    with pytest.raises(ApiError) as refusal:
        api.request("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin?dryRun=All")
    assert refusal.value.status == 403


def test_a_vmi_s_status_is_kept_from_kubevirt_s_accounts_and_from_no_one_else(sandbox: Command) -> None:
    api = sandbox.api()
    api.request("POST", REPLICA_SETS, replica_set("identities", 1))
    try:
        eventually("a running VMI", lambda: _phases(api, "identities") == ["Running"])
        name = _instances(api, "identities")[0]["metadata"]["name"]
        patch = {"status": {"phase": "Failed"}}
        answer = api.request("PATCH", f"{INSTANCES}/{name}", patch, "application/merge-patch+json")
        assert answer["status"]["phase"] == "Running"
    finally:
        api.request("DELETE", f"{REPLICA_SETS}/identities")


def _instances(api: Api, name: str) -> list[dict[str, dict[str, str]]]:
    items: list[dict[str, dict[str, str]]] = api.request("GET", f"{INSTANCES}?labelSelector=test%3D{name}")["items"]
    return items


def _phases(api: Api, name: str) -> list[str]:
    return [item["status"].get("phase", "") for item in _instances(api, name)]
