# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for a replica set: one thing to do, and nothing where nothing is to be done."""

from __future__ import annotations

import copy
import typing as t

import pytest
import yaml

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._plan import (
    APPLY,
    NOTHING,
    Plan,
    must_know_autoscalers,
    plan_replica_set,
    targets,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset_wanted import wanted_replica_set
from unit.support.objects import autoscaler, changed
from unit.support.recorded import SEED_SET, Object, real_autoscaler, real_set, sandbox

HASH = "spec.template.metadata.labels.vmscale.kubevirt/template-hash"


def plan(
    live: Object | None,
    manifest: t.Any = None,
    scalers: t.Sequence[Object] = (),
    policy: str = "keep",
    allow_selector_change: bool = False,
    **params: t.Any,
) -> Plan:
    """Return the plan for what manifest and options want."""
    wanted = wanted_replica_set(params, manifest, '"definition"', "recorded")
    return plan_replica_set(wanted, live, list(scalers), policy, allow_selector_change)


def written(**changes: t.Any) -> Object:
    """Return the manifest from which the set of the sandbox was made, with its real hash once it is wanted."""
    live = sandbox("created", "vmirs")
    body = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": {"name": "web", "labels": {"team": "a"}}}
    body["spec"] = {**copy.deepcopy(live["spec"]), **changes}
    return body


def resumed(**changes: t.Any) -> Object:
    """Return the manifest that was applied last before the set was scaled."""
    return written(paused=False, **changes)


def live_set(state: str) -> Object:
    """Return the recorded set as if it had been made from `written`."""
    body = wanted_replica_set({}, written(), "x", "recorded").body
    live: Object = sandbox(state, "vmirs")
    live["spec"]["template"]["metadata"]["labels"] = body["spec"]["template"]["metadata"]["labels"]
    return live


def test_a_set_that_is_missing_is_made() -> None:
    made = plan(None, SEED_SET)
    assert (made.action, made.creates, made.changes) == (APPLY, True, ("the object",))
    assert made.body["spec"]["replicas"] == 3
    assert "resourceVersion" not in made.body["metadata"]


@pytest.mark.parametrize(
    ("scalers", "replicas"),
    [
        ([], 1),
        ([autoscaler(least=2)], 2),
        ([autoscaler(least=None)], 1),
        ([autoscaler(least=0)], 1),
        ([autoscaler(least=2), autoscaler("other", least=4)], 4),
    ],
)
def test_a_new_set_always_gets_a_number_of_replicas(scalers: list[Object], replicas: int) -> None:
    # Without spec.replicas, reading its scale is an error and no autoscaler can ever work.
    manifest = yaml.safe_load(SEED_SET)
    del manifest["spec"]["replicas"]
    assert plan(None, manifest, scalers).body["spec"]["replicas"] == replicas


def test_a_partial_change_of_a_set_that_is_missing_is_refused() -> None:
    with pytest.raises(OptionError, match=r'recorded/web does not exist, and without "template"'):
        plan(None, name="web", replicas=3)


@pytest.mark.parametrize("state", ["created", "ready"])
def test_nothing_is_done_where_nothing_is_to_be_done(state: str) -> None:
    live = live_set(state)
    assert plan(live, written()).action == NOTHING
    assert plan(live, name="web", replicas=2, paused=None, labels={"team": "a"}).action == NOTHING
    assert plan(live, name="web").action == NOTHING


def test_what_virt_controller_writes_in_another_way_is_no_change() -> None:
    live = live_set("ready")
    assert written()["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"] == "1024Mi"
    assert live["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"] == "1Gi"
    zeros = changed(written(), "spec.template.spec.hostname", "")
    labels = wanted_replica_set({}, zeros, "x", "recorded").body["spec"]["template"]["metadata"]["labels"]
    zeros_live = changed(live, "spec.template.metadata.labels", labels)
    assert plan(live, written()).action == NOTHING
    assert plan(zeros_live, zeros).action == NOTHING


@pytest.mark.parametrize("key", ["labels", "annotations"])
def test_labels_that_look_like_numbers_are_compared_as_text(key: str) -> None:
    live = changed(live_set("ready"), f"metadata.{key}", {"team": "a", "version": "1.1"})
    options: dict[str, t.Any] = {key: {"version": "1.10"}}
    made = plan(live, written(), **options)
    assert made.changes == (f"metadata.{key}.version",)


@pytest.mark.parametrize(
    ("path", "value", "change"),
    [
        ("metadata.labels", {"team": "b"}, "metadata.labels.team"),
        ("metadata.annotations", {"x": "y"}, "metadata.annotations"),
        ("spec.replicas", 5, "spec.replicas"),
        ("spec.paused", True, "spec.paused"),
        ("spec.template.spec.hostname", "x", HASH),
    ],
)
def test_a_change_is_applied_to_the_version_that_was_read(path: str, value: t.Any, change: str) -> None:
    made = plan(live_set("created"), changed(written(), path, value))
    assert (made.action, made.creates) == (APPLY, False)
    assert any(each.startswith(change) for each in made.changes)
    assert made.body["metadata"]["resourceVersion"] == sandbox("created", "vmirs")["metadata"]["resourceVersion"]


@pytest.mark.parametrize("template_hash", [True, False])
def test_the_set_that_kubectl_made_is_left_as_it_is(template_hash: bool) -> None:
    # Its VMIs run the very template: with a hash in it they would count as outdated.
    assert plan(real_set("idle"), SEED_SET, namespace="default", template_hash=template_hash).action == NOTHING


def test_the_set_that_kubectl_made_gets_its_hash_with_the_first_template_that_differs() -> None:
    manifest = yaml.safe_load(SEED_SET)
    manifest["spec"]["template"]["spec"]["hostname"] = "other"
    made = plan(real_set("idle"), manifest, namespace="default")
    assert (made.action, set(made.changes)) == (APPLY, {"spec.template.spec.hostname", HASH})


@pytest.mark.parametrize(
    ("path", "surplus"),
    [
        ("metadata.labels", "metadata.labels.team"),
        ("spec.template.metadata.annotations", "spec.template.metadata.annotations"),
        ("spec.template.spec.volumes", "spec.template.spec.volumes"),
    ],
)
def test_what_left_the_manifest_leaves_the_set(path: str, surplus: str) -> None:
    made = plan(live_set("ready"), changed(written(), path, None))
    assert made.action == APPLY
    assert any(each == surplus or surplus.startswith(f"{each}.") for each in made.changes)


def test_what_somebody_else_added_stays() -> None:
    live = changed(live_set("ready"), "metadata.labels", {"team": "a", "theirs": "x"})
    assert plan(live, written()).action == NOTHING


def test_the_replicas_of_a_manifest_without_them_are_those_of_the_set() -> None:
    made = plan(live_set("scaled"), changed(changed(resumed(), "spec.replicas", None), "spec.paused", True))
    assert made.body["spec"]["replicas"] == 4
    assert plan(live_set("scaled"), changed(resumed(), "spec.replicas", None)).action == NOTHING


@pytest.mark.parametrize(("asked", "replicas"), [(None, 1), (3, 3), (0, 0)])
def test_replicas_that_went_missing_are_put_back(asked: int | None, replicas: int) -> None:
    live = changed(live_set("ready"), "spec.replicas", None)
    made = plan(live, changed(written(), "spec.replicas", asked), [autoscaler()])
    assert (made.action, made.body["spec"]["replicas"]) == (APPLY, replicas)


@pytest.mark.parametrize("is_partial", [False, True])
def test_the_number_of_an_autoscaler_is_kept(is_partial: bool) -> None:
    live, scalers = live_set("scaled"), [autoscaler("b"), autoscaler("a")]
    made = plan(live, None, scalers, name="web", replicas=2) if is_partial else plan(live, resumed(), scalers)
    assert made.action == NOTHING
    assert made.warnings == (
        "replicas of VirtualMachineInstanceReplicaSet recorded/web left at 4 instead of 2: HorizontalPodAutoscaler a, b scales it.",
    )
    both = plan(live, changed(resumed(), "metadata.labels", {"team": "b"}), scalers)
    assert (both.action, both.body["spec"]["replicas"], len(both.warnings)) == (APPLY, 4, 1)


def test_the_number_of_an_autoscaler_is_overruled_only_where_that_is_asked_for() -> None:
    made = plan(live_set("scaled"), resumed(), [autoscaler()], policy="set")
    assert (made.action, made.changes, made.body["spec"]["replicas"]) == (APPLY, ("spec.replicas",), 2)
    assert "set to 2, although HorizontalPodAutoscaler web scales it" in made.warnings[0]
    with pytest.raises(OptionError, match='"replicas" is 2, and .*recorded/web has 4, set by HorizontalPodAutoscaler web'):
        plan(live_set("scaled"), resumed(), [autoscaler()], policy="fail")


@pytest.mark.parametrize("policy", ["keep", "set", "fail"])
def test_no_policy_matters_where_nobody_scales_or_the_numbers_agree(policy: str) -> None:
    assert plan(live_set("scaled"), resumed(), [], policy=policy).body["spec"]["replicas"] == 2
    agreed = plan(live_set("scaled"), resumed(replicas=4), [autoscaler()], policy=policy)
    assert (agreed.action, agreed.warnings) == (NOTHING, ())


@pytest.mark.parametrize("policy", ["keep", "set", "fail"])
def test_a_set_at_zero_is_started_although_an_autoscaler_points_at_it(policy: str) -> None:
    # At 0 the controller of autoscalers has switched itself off and would never raise the set again.
    live = changed(live_set("ready"), "spec.replicas", 0)
    made = plan(live, written(), [autoscaler()], policy=policy)
    assert (made.action, made.body["spec"]["replicas"], made.warnings) == (APPLY, 2, ())


@pytest.mark.parametrize(
    ("live", "asked", "must"),
    [
        (None, None, True),
        (None, 3, False),
        (4, 4, False),
        (4, 2, True),
        (4, None, False),
        (0, 2, True),
        ("missing", 2, False),
    ],
)
def test_autoscalers_are_read_only_where_the_plan_depends_on_them(live: t.Any, asked: int | None, must: bool) -> None:
    present = None if live is None else changed(live_set("ready"), "spec.replicas", None if live == "missing" else live)
    wanted = wanted_replica_set({}, changed(written(), "spec.replicas", asked), "x", "recorded")
    assert must_know_autoscalers(wanted, present) is must


def test_a_partial_change_sends_again_what_is_ours() -> None:
    live = live_set("scaled")
    made = plan(live, name="web", paused=True, labels={"tier": "x"})
    assert made.action == APPLY
    assert made.body["metadata"]["labels"] == {"team": "a", "tier": "x"}
    assert made.body["spec"]["template"] == live["spec"]["template"]
    assert made.body["spec"]["selector"] == live["spec"]["selector"]
    assert (made.body["spec"]["paused"], made.body["spec"]["replicas"]) == (True, 4)
    assert (made.body["apiVersion"], made.body["kind"]) == ("kubevirt.io/v1", "VirtualMachineInstanceReplicaSet")


def test_a_partial_change_of_a_foreign_set_sends_only_itself() -> None:
    made = plan(real_set("idle"), name="testreplicaset", namespace="default", replicas=5)
    assert made.body["spec"] == {"replicas": 5}
    assert made.changes == ("spec.replicas",)


OTHER = {"matchLabels": {"app": "other"}}


@pytest.mark.parametrize("is_partial", [False, True])
def test_a_selector_is_not_changed_by_accident(is_partial: bool) -> None:
    live = changed(live_set("ready"), "spec.selector", OTHER)
    with pytest.raises(OptionError) as caught:
        plan(live, None, name="web", selector={"matchLabels": {"app": "web"}}) if is_partial else plan(live, written())
    assert "would change from app=other to app=web" in caught.value.message
    assert '"allow_selector_change: true"' in caught.value.message


@pytest.mark.parametrize(
    "old",
    [
        OTHER,
        {"matchLabels": {"app": "web", "tier": "x"}},
        {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
        {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "app", "operator": "Exists"}]},
    ],
)
@pytest.mark.parametrize("is_partial", [False, True])
def test_a_selector_is_changed_where_that_is_allowed(old: Object, is_partial: bool) -> None:
    live = changed(live_set("ready"), "spec.selector", old)
    selector = {"matchLabels": {"app": "web"}}
    manifest = None if is_partial else written()
    made = plan(live, manifest, allow_selector_change=True, name="web", selector=selector)
    assert made.action == APPLY
    assert any(each.startswith("spec.selector") for each in made.changes)
    assert made.body["spec"]["selector"] == selector


def test_the_same_selector_written_in_another_way_is_no_change_of_it() -> None:
    one = [{"key": "app", "operator": "In", "values": ["web", "a"]}]
    live = changed(live_set("ready"), "spec.selector", {"matchExpressions": one})
    made = plan(live, name="web", selector={"matchExpressions": [{**one[0], "values": ["a", "web"]}]})
    assert made.body["spec"]["replicas"] == 2


def test_a_partial_selector_must_match_the_template_that_is_there() -> None:
    with pytest.raises(OptionError, match=r"\(app=other\) does not match the labels of the template of"):
        plan(live_set("ready"), None, allow_selector_change=True, name="web", selector=OTHER)


@pytest.mark.parametrize(
    ("reference", "namespace", "does"),
    [
        ({}, "default", True),
        ({"apiVersion": "kubevirt.io/v1alpha3"}, "default", True),
        ({"apiVersion": "pool.kubevirt.io/v1beta1"}, "default", False),
        ({"apiVersion": "apps/v1", "kind": "Deployment"}, "default", False),
        ({"name": "other"}, "default", False),
        ({}, "elsewhere", False),
    ],
)
def test_who_scales_a_set(reference: Object, namespace: str, does: bool) -> None:
    assert targets(autoscaler(target=reference), namespace, "web") is does
    assert targets(real_autoscaler("idle"), "default", "testreplicaset")
