# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights in playbooks/files/rbac: all that a playbook needs, and none that it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.awx_credential import BearerToken
from integration.support.awx_job import Awx
from integration.support.job_rights import MANIFESTS, Right, asked, grant, granted
from integration.support.manifests import autoscaler, await_counts, replica_set
from integration.support.results import Run
from integration.support.seed import PLAYBOOKS

NAME = "web"
SETS: tuple[str, str] = ("kubevirt.io", "virtualmachineinstancereplicasets")
VMIS: tuple[str, str] = ("kubevirt.io", "virtualmachineinstances")
AUTOSCALERS: tuple[str, str] = ("autoscaling", "horizontalpodautoscalers")
# What only helps to explain; it is watched and not listed first.
EVIDENCE = {("", "pods"), ("", "events")}
Play = Callable[..., Run]


@pytest.fixture
def play(local_ansible: Ansible, namespace: str) -> Play:
    """Runs a playbook in the namespace of the test."""

    def run(playbook: str, **variables: Any) -> Run:
        namespaces = {f"{each}_namespace": namespace for each in ("vmirs", "hpa", "verify", "scale", "rollout")}
        return local_ansible.run(f"vmscale.kubevirt.{playbook}", variables={**namespaces, **variables})

    return run


def vm(memory: str = "64M") -> Mapping[str, Any]:
    return replica_set(NAME, 2, memory=memory)


def scaler(most: int = 3) -> Mapping[str, Any]:
    """Return an autoscaler that idle VMs leave alone."""
    return autoscaler(NAME, NAME, 1, most, cpu=10000)


def ensure(play: Play, _api: Api, _namespace: str) -> None:
    play("ensure", vmirs_definition=vm(), hpa_definition=scaler()).require_ok()
    rollout = {"vmirs_rollout": True, "vmirs_revision_history_limit": 1}
    for number, memory in enumerate(("65M", "66M", "67M")):
        play("ensure", vmirs_definition=vm(memory), hpa_definition=scaler(4 + number), **rollout).require_ok()
    play("ensure", vmirs_definition=vm("4000Gi"), **rollout, vmirs_batch_timeout=8).require_failed()


def verify(play: Play, _api: Api, _namespace: str) -> None:
    play("verify", verify_name=NAME, verify_current_replicas=7, verify_wait_timeout=4).require_failed()


def scale(play: Play, api: Api, namespace: str) -> None:
    play("scale", scale_name=NAME, scale_replicas=4, scale_when_autoscaled="set", scale_autoscaler_bounds="widen").require_ok()
    gone = api.items("vmis", namespace)[0]["metadata"]["name"]
    play("scale", scale_name=NAME, scale_remove=[gone], scale_when_autoscaled="set").require_ok()
    play("scale", scale_name=NAME, scale_remove=[gone], scale_replicas=3, scale_when_autoscaled="set").require_ok()
    api.create("vmirs", namespace, replica_set("huge", 0, memory="4000Gi"))
    play("scale", scale_name="huge", scale_replicas=1, scale_wait_timeout=8).require_failed()


def rollout(play: Play, api: Api, namespace: str) -> None:
    for _ in range(4):
        options = {"rollout_revision_history_limit": 1, "rollout_max_unavailable": "50%"}
        play("rollout", rollout_name=NAME, rollout_state="restarted", **options).require_ok()
    huge = {"spec": {"domain": {"resources": {"requests": {"memory": "4000Gi"}}}}}
    api.merge("vmirs", namespace, NAME, {"spec": {"template": huge}})
    play("rollout", rollout_name=NAME, rollout_state="restarted", rollout_batch_timeout=8).require_failed()


def remove(play: Play, _api: Api, _namespace: str) -> None:
    play("remove", vmirs_name=NAME, hpa_name=NAME).require_ok()


USES: Mapping[str, Callable[[Play, Api, str], None]] = {
    "ensure": ensure,
    "verify": verify,
    "scale": scale,
    "rollout": rollout,
    "remove": remove,
}


def test_every_playbook_has_its_rights() -> None:
    assert {path.stem for path in MANIFESTS.glob("*.yml")} == set(USES) == {path.stem for path in PLAYBOOKS.glob("*.yml")} - {"controller"}


@pytest.mark.slow
@pytest.mark.parametrize("playbook", USES)
def test_each_right_is_used_and_no_other_is_asked_for(play: Play, api: Api, audit: AuditLog, namespace: str, playbook: str) -> None:
    if playbook != "ensure":
        play("ensure", vmirs_definition=vm(), hpa_definition=scaler()).require_ok()
    mark = audit.mark()
    USES[playbook](play, api, namespace)
    needed = asked(audit.requests(mark))

    # A watch that the API server has lost its place in begins with a list.
    needed |= {(group, resource, "list") for group, resource, verb in needed if verb == "watch" and (group, resource) not in EVIDENCE}
    if playbook == "ensure":
        # It is asked for by a patch, and granted only to those who may create as well.
        needed |= {(*SETS, "create"), (*AUTOSCALERS, "create")}
    assert granted(playbook) - needed == set(), "rights that nothing uses"
    assert needed - granted(playbook) == set(), "rights that are missing"


@pytest.fixture
def as_account(api: Api, namespace: str, operator_token: BearerToken, tmp_path: Path) -> Callable[..., Awx]:
    """Return a maker of `Awx` with the rights of a playbook, less one."""

    def make(playbook: str, without: Right | None = None) -> Awx:
        token = grant(api, namespace, playbook, without)
        return Awx(tmp_path, BearerToken(operator_token.host, token, operator_token.ca_text))

    return make


@pytest.mark.parametrize(
    ("playbook", "right"),
    [
        ("rollout", (*VMIS, "delete")),
        pytest.param("ensure", (*SETS, "create"), marks=pytest.mark.slow),
        pytest.param("verify", (*AUTOSCALERS, "get"), marks=pytest.mark.slow),
        pytest.param("scale", (*SETS, "patch"), marks=pytest.mark.slow),
        pytest.param("remove", (*SETS, "delete"), marks=pytest.mark.slow),
    ],
)
def test_a_right_that_is_missing_is_said(as_account: Callable[..., Awx], api: Api, namespace: str, playbook: str, right: Right) -> None:
    variables: Mapping[str, Mapping[str, Any]] = {
        "ensure": {"vmirs_definition": vm(), "vmirs_namespace": namespace},
        "verify": {"verify_name": NAME, "verify_namespace": namespace},
        "scale": {"scale_name": NAME, "scale_namespace": namespace, "scale_replicas": 1},
        "rollout": {"rollout_name": NAME, "rollout_namespace": namespace, "rollout_state": "restarted"},
        "remove": {"vmirs_name": NAME, "vmirs_namespace": namespace},
    }
    if playbook != "ensure":
        api.create("vmirs", namespace, dict(vm()))
    if playbook == "rollout":
        await_counts(api, namespace, NAME, 2)
    job = as_account(playbook, right).run(f"playbooks/{playbook}.yml", variables=variables[playbook]).require("failed")

    user = f"system:serviceaccount:{namespace}:vmscale-{playbook}"
    group, resource, verb = right
    (reason,) = job.artifacts[f"vmscale_{playbook}"]["reasons"] if playbook != "remove" else [job.results["vmirs"]["msg"]]
    assert reason.startswith(
        f'User "{user}" may not {verb} {resource}.{group} in namespace "{namespace}": a Role or ClusterRole must grant'
    )
