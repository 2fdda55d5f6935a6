# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vmirs_scale and a set that an autoscaler scales: whose number counts, and what becomes of it."""

from __future__ import annotations

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.audit import AuditLog, writes
from integration.support.fleet import names, quick_set, start
from integration.support.manifests import autoscaler, await_counts, vmirs_scale
from integration.support.steps import run_three_times

NAME, SCALER = "web", "web-scaler"
PATCH, DELETE, PATCH_SCALER = (
    "patch virtualmachineinstancereplicasets",
    "delete virtualmachineinstances",
    "patch horizontalpodautoscalers",
)
WHO = f"HorizontalPodAutoscaler {SCALER} (2 to 3 replicas)"


@pytest.fixture
def autoscaled(api: Api, namespace: str) -> list[str]:
    """The VMIs of a set of 2, between the bounds 2 and 3 of an autoscaler that looks after the bounds and nothing else."""
    there = start(api, namespace, quick_set(NAME, 2))
    wanted = autoscaler(SCALER, NAME, 2, 3, cpu=900)
    wanted["spec"]["behavior"] = {"scaleDown": {"selectPolicy": "Disabled"}}
    api.create("hpas", namespace, wanted)
    return there


def label(namespace: str) -> str:
    return f"VirtualMachineInstanceReplicaSet {namespace}/{NAME}"


@pytest.mark.usefixtures("autoscaled")
def test_it_fails_before_anything_is_written(local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    mark = audit.mark()
    done = local_ansible.run_tasks(vmirs_scale(name=NAME, replicas=5)).require_failed().last

    assert done.message == (
        f"{label(namespace)} has 2 replicas and is autoscaled, so 5 would not last: {WHO} would bring it down to 3. Change the bounds "
        'of the autoscaler instead (module hpa), or choose "replicas_when_autoscaled: set", with "autoscaler_bounds: widen" where it is '
        'out of them, or "keep".'
    )
    assert writes(audit.requests(mark)) == []
    assert api.get("vmirs", namespace, NAME)["spec"]["replicas"] == 2


def test_keep_leaves_the_number_and_the_vms(
    local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str, autoscaled: list[str]
) -> None:
    mark = audit.mark()
    run = local_ansible.run_tasks(
        [
            vmirs_scale(name=NAME, replicas=1, replicas_when_autoscaled="keep"),
            vmirs_scale(name=NAME, remove=autoscaled[:1], replicas_when_autoscaled="keep"),
        ]
    ).require_ok()

    warning = f"replicas of {label(namespace)} left at 2 instead of 1, since it is autoscaled: {WHO} would bring it up to 2."
    assert [result["warnings"] for result in run.tasks] == [[warning], [warning]]
    assert run.changed == ()
    assert [result["removed"] for result in run.tasks] == [None, []]
    assert [result["autoscaled_by"] for result in run.tasks] == [[SCALER], [SCALER]]
    assert writes(audit.requests(mark)) == []
    assert {*names(api, namespace)} == {*autoscaled}


@pytest.mark.usefixtures("autoscaled")
def test_set_writes_the_number_and_says_what_becomes_of_it(local_ansible: Ansible, api: Api, namespace: str) -> None:
    done = local_ansible.run_tasks(vmirs_scale(name=NAME, replicas=5, replicas_when_autoscaled="set", wait=False)).require_ok().last

    assert done.is_changed
    assert done["warnings"] == [f"replicas of {label(namespace)} set to 5, although it is autoscaled: {WHO} would bring it down to 3."]
    assert done["result"]["spec"]["replicas"] == 5
    # And so it does.
    await_counts(api, namespace, NAME, 3)


def test_widen_moves_the_bounds_and_the_number_lasts(
    local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str, autoscaled: list[str]
) -> None:
    wider = {"replicas_when_autoscaled": "set", "autoscaler_bounds": "widen"}
    up = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, replicas=5, **wider))
    assert up.writes == [PATCH_SCALER, PATCH]
    for each in (up.predicted, up.done):
        assert each["autoscaler_bounds"] == [{"name": SCALER, "min_replicas": 2, "max_replicas": 5}]
    assert up.again["autoscaler_bounds"] == []
    bounds = api.get("hpas", namespace, SCALER)["spec"]
    assert (bounds["minReplicas"], bounds["maxReplicas"]) == (2, 5)

    down = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, replicas=1, scale_in_order="newest", **wider))
    assert down.writes == [PATCH_SCALER, PATCH, *([DELETE] * 4), PATCH]
    assert down.done["removed"] == down.predicted["removed"]
    assert down.done["autoscaler_bounds"] == [{"name": SCALER, "min_replicas": 1, "max_replicas": 5}]
    (left,) = names(api, namespace)
    assert left in autoscaled
    assert api.get("vmirs", namespace, NAME)["spec"]["replicas"] == 1


@pytest.mark.usefixtures("autoscaled")
def test_0_switches_the_autoscaler_off_until_somebody_raises_the_number(
    local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str
) -> None:
    off = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, replicas=0, replicas_when_autoscaled="set"))
    assert off.done["warnings"] == [
        f"replicas of {label(namespace)} set to 0, although it is autoscaled: {WHO} would stop scaling it until its number is raised "
        "by hand."
    ]
    on = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, replicas=2))
    assert "warnings" not in on.done.data
    assert (off.writes, on.writes) == ([PATCH], [PATCH])
    await_counts(api, namespace, NAME, 2, 1)
