# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vmirs_scale under users who may do little: either right to write is enough, and what is missing is said before anything is written."""

from __future__ import annotations

import pytest

from integration.support.accounts import INSTANCES, MAY_PATCH, MAY_SCALE, READ, SETS, USER, AsUser, refusal, without
from integration.support.api import Api
from integration.support.audit import AuditLog, writes
from integration.support.cluster import Cluster
from integration.support.fleet import names, quick_set, start
from integration.support.manifests import counts, vmirs_scale
from integration.support.steps import run_each_three_times, run_three_times
from integration.support.trace import Trace

NAME = "web"
PATCH, PATCH_SCALE, DELETE = f"patch {SETS}", f"patch {SETS}/scale", f"delete {INSTANCES}"


def test_who_may_patch_the_set_goes_from_3_to_5_to_2_to_0_to_3(
    as_user: AsUser, api: Api, audit: AuditLog, cluster: Cluster, namespace: str
) -> None:
    ansible = as_user(MAY_PATCH)
    first = start(api, namespace, quick_set(NAME, 3))
    anyway = {"name": NAME, "replicas_when_autoscaled": "set"}
    tasks = [
        vmirs_scale(replicas=5, **anyway),
        vmirs_scale(replicas=2, remove=first[:2], scale_in_order="newest", **anyway),
        vmirs_scale(replicas=0, scale_in_order="oldest", **anyway),
        vmirs_scale(replicas=3, **anyway),
    ]
    with Trace(cluster.admin, namespace, NAME) as trace:
        runs = run_each_three_times(ansible, audit, tasks, USER)
    assert runs[-1].writes == [PATCH, PATCH, DELETE, DELETE, DELETE, PATCH, PATCH, DELETE, DELETE, PATCH, PATCH]
    assert {each.done["method"] for each in runs} == {"patch"}
    assert [each.done["replicas"]["ready"] for each in runs] == [5, 2, 0, 3]
    removed = [each.done["removed"] for each in runs]
    assert removed == [each.predicted["removed"] for each in runs]
    assert [number if number is None else len(number) for number in removed] == [None, 3, 2, None]
    assert removed[1][:2] == first[:2]
    assert trace.history.removed == [*removed[1], *removed[2]]
    assert counts(api.get("vmirs", namespace, NAME)) == (3, 3, 3)


def test_who_may_use_the_scale_goes_from_3_to_5_to_2_to_0_to_3(as_user: AsUser, api: Api, audit: AuditLog, namespace: str) -> None:
    ansible = as_user(MAY_SCALE)
    first = start(api, namespace, quick_set(NAME, 3))
    tasks = [vmirs_scale(name=NAME, replicas=number, replicas_when_autoscaled="set") for number in (5, 2, 0, 3)]
    runs = run_each_three_times(ansible, audit, tasks, USER)
    assert runs[-1].writes == [PATCH_SCALE] * 4
    assert [(each.done["method"], each.predicted["method"], each.done["removed"]) for each in runs] == [("scale", "scale", None)] * 4
    assert [each.done["replicas"]["ready"] for each in runs] == [5, 2, 0, 3]
    assert counts(api.get("vmirs", namespace, NAME)) == (3, 3, 3)
    there = names(api, namespace)
    assert not {*first} & {*there}

    mark = audit.mark()
    chosen = ansible.run_tasks(vmirs_scale(name=NAME, remove=there[:1], replicas_when_autoscaled="set")).require_failed().last
    assert chosen.message == refusal(namespace, USER, "delete", INSTANCES)
    assert writes(audit.requests(mark, user=USER)) == []


def test_who_may_use_nothing_but_the_scale_cannot_wait(as_user: AsUser, api: Api, audit: AuditLog, namespace: str) -> None:
    ansible = as_user({f"{SETS}/scale": ("get", "patch")})
    start(api, namespace, quick_set(NAME, 1))
    task = vmirs_scale(name=NAME, replicas=2, wait=False, replicas_when_autoscaled="set")
    runs = run_three_times(ansible, audit, task, USER)
    assert (runs.writes, runs.done["method"]) == ([PATCH_SCALE], "scale")
    assert api.get("vmirs", namespace, NAME)["spec"]["replicas"] == 2

    waiting = ansible.run_tasks(vmirs_scale(name=NAME, replicas=2)).require_failed().last
    assert waiting.message == f'{refusal(namespace, USER, "get", SETS)} Or set "wait: false": then its scale is enough.'


def test_both_rights_are_named_where_both_are_missing(as_user: AsUser, api: Api, audit: AuditLog, namespace: str) -> None:
    ansible = as_user({SETS: READ, INSTANCES: READ})
    start(api, namespace, quick_set(NAME, 1))
    mark = audit.mark()
    refused = ansible.run_tasks(vmirs_scale(name=NAME, replicas=2, replicas_when_autoscaled="set")).require_failed().last

    assert refused.message == (
        f"{refusal(namespace, USER, 'patch', SETS)} Or grant it on its scale: {refusal(namespace, USER, 'patch', f'{SETS}/scale')}"
    )
    assert writes(audit.requests(mark, user=USER)) == []


@pytest.mark.parametrize("missing", ["patch", "delete", "list"])
def test_a_choice_without_the_rights_for_it_writes_nothing(
    as_user: AsUser, api: Api, audit: AuditLog, namespace: str, missing: str
) -> None:
    resource = SETS if missing == "patch" else INSTANCES
    ansible = as_user(without(MAY_PATCH, resource, missing))
    there = start(api, namespace, quick_set(NAME, 2))
    mark = audit.mark()
    refused = ansible.run_tasks(vmirs_scale(name=NAME, remove=there[:1], replicas_when_autoscaled="set")).require_failed().last

    assert refused.message == refusal(namespace, USER, missing, resource)
    assert writes(audit.requests(mark, user=USER)) == []
    assert {*names(api, namespace)} == {*there}
    assert "paused" not in api.get("vmirs", namespace, NAME)["spec"]
