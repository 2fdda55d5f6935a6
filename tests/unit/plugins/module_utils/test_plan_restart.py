# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for a replica set whose VMIs have been restarted: its manifest is still what it was made from."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _revisions
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import template_hash
from ansible_collections.vmscale.kubevirt.plugins.module_utils._plan import APPLY, NOTHING, Plan, plan_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset_wanted import wanted_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._restart import stamped
from unit.support.objects import autoscaler, changed
from unit.support.recorded import Object, sandbox

HASH = "vmscale.kubevirt/template-hash"
RESTARTED, RESTART_ID = "vmscale.kubevirt/restarted-at", "vmscale.kubevirt/restart-id"
NOW = "2026-11-23T20:40:00Z"


def manifest(memory: str = "1024Mi") -> Object:
    """Return the manifest of the set of the sandbox."""
    live = sandbox("created", "vmirs")
    body: Object = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": {"name": "web", "labels": {"team": "a"}}}
    body["spec"] = copy.deepcopy(live["spec"])
    body["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"] = memory
    return body


def plan(live: Object, body: Object, **params: t.Any) -> Plan:
    """Return the plan for a manifest."""
    return plan_replica_set(wanted_replica_set(params, body, '"definition"', "recorded"), live, [], "keep", allow_selector_change=False)


def live_set(state: str, has_hash: bool = True) -> Object:
    """Return the recorded set as if it had been made from the manifest."""
    live: Object = sandbox(state, "vmirs")
    body = wanted_replica_set({"template_hash": has_hash}, manifest(), "x", "recorded").body
    return changed(live, "spec.template.metadata.labels", dict(body["spec"]["template"]["metadata"]["labels"]))


def restarted(live: Object, restart_id: str | None = "r1") -> Object:
    """Return a set after a restart."""
    return changed(live, "spec.template", _revisions.restarted(live, NOW, restart_id))


# In the state `ready` virt-controller has written the template back in its own way.
@pytest.mark.parametrize("state", ["created", "ready"])
@pytest.mark.parametrize("restart_id", ["r1", None])
def test_the_manifest_is_still_there_after_a_restart(state: str, restart_id: str | None) -> None:
    live = restarted(live_set(state), restart_id)
    made = plan(live, manifest())
    assert (made.action, made.changes, made.changes_template) == (NOTHING, (), False)
    # Nor does another change touch the template.
    other = plan(live, changed(manifest(), "metadata.labels", {"team": "b"}))
    assert (other.action, other.changes, other.changes_template) == (APPLY, ("metadata.labels.team",), False)
    template = other.body["spec"]["template"]["metadata"]
    assert template["labels"] == live["spec"]["template"]["metadata"]["labels"]
    assert template["annotations"] == live["spec"]["template"]["metadata"]["annotations"]


@pytest.mark.parametrize("state", ["created", "ready"])
def test_a_new_template_keeps_the_restart_and_gets_a_hash_of_its_own(state: str) -> None:
    live = restarted(live_set(state))
    made = plan(live, manifest("2048Mi"))
    assert (made.action, made.changes_template) == (APPLY, True)
    template = made.body["spec"]["template"]
    assert template["metadata"]["annotations"] == live["spec"]["template"]["metadata"]["annotations"]
    assert template["metadata"]["annotations"][RESTART_ID] == "r1"
    assert template["metadata"]["labels"][HASH] == template_hash(template)
    assert template["metadata"]["labels"][HASH] != live["spec"]["template"]["metadata"]["labels"][HASH]


@pytest.mark.parametrize("is_ours", [True, False])
def test_what_is_taken_away_is_another_template_where_it_was_ours(is_ours: bool) -> None:
    live = restarted(live_set("ready"))
    live = changed(live, "spec.template.spec.hostname", "guest")
    live["spec"]["template"] = stamped(live["spec"]["template"])
    fields: Object = {"f:spec": {"f:template": {"f:spec": {"f:hostname": {}}}}} if is_ours else {}
    live["metadata"]["managedFields"] = [{"manager": "vmscale.kubevirt", "operation": "Apply", "fieldsV1": fields}]
    made = plan(live, manifest())
    assert made.changes_template is is_ours
    present = live["spec"]["template"]["metadata"]["labels"][HASH]
    assert (made.body["spec"]["template"]["metadata"]["labels"][HASH] != present) is is_ours


@pytest.mark.parametrize("state", ["created", "ready"])
@pytest.mark.parametrize("template_hash", [True, False])
def test_a_set_without_a_hash_of_ours_can_be_restarted(state: str, template_hash: bool) -> None:
    live = restarted(live_set(state, has_hash=False))
    assert HASH in live["spec"]["template"]["metadata"]["labels"]
    made = plan(live, manifest(), template_hash=template_hash)
    assert (made.action, made.changes) == (NOTHING, ())


def test_a_restart_by_the_manifest_s_own_hand_is_its_own() -> None:
    live = restarted(live_set("ready"))
    own = changed(manifest(), "spec.template.metadata.annotations", {RESTARTED: "by hand"})
    made = plan(live, own)
    assert made.changes_template
    assert made.body["spec"]["template"]["metadata"]["annotations"] == {RESTARTED: "by hand"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("metadata.labels", {"team": "b"}), False),
        (("spec.replicas", 5), False),
        (("spec.paused", True), False),
        (("spec.template.spec.hostname", "x"), True),
        (("spec.template.metadata.annotations", {"a": "b"}), True),
    ],
)
def test_whether_a_plan_overwrites_a_template(change: tuple[str, t.Any], expected: bool) -> None:
    assert plan(live_set("ready"), changed(manifest(), *change)).changes_template is expected


def test_a_set_that_is_made_overwrites_none() -> None:
    wanted = wanted_replica_set({}, manifest(), '"definition"', "recorded")
    made = plan_replica_set(wanted, None, [autoscaler()], "keep", allow_selector_change=False)
    assert (made.creates, made.changes_template) == (True, False)
