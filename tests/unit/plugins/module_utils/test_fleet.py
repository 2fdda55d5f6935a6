# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which objects are a fleet, what may be said of them, and what one result says of all."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler_wanted import ONE_AUTOSCALER, wanted_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._documents import read_definition, read_files
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet import members, say_failures, summary, surplus, the_one, wanted_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset_wanted import ONE_SET, wanted_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS, FLEET_LABEL, REPLICA_SETS
from unit.support.objects import autoscaler, changed, replica_set
from unit.support.recorded import Object


def a_set(name: str = "web", **metadata: t.Any) -> Object:
    """Return the manifest of a set that names no namespace."""
    live = replica_set()
    return {key: live[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": name, **metadata}}


def a_scaler(name: str = "web") -> Object:
    """Return the manifest of an autoscaler that names no namespace."""
    live = autoscaler(name)
    return {key: live[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": name}}


POD = {"kind": "Pod", "metadata": {"name": "x"}}


def names(definition: t.Any, **params: t.Any) -> list[str] | None:
    """Return the names of the sets of a fleet, None where it is none."""
    found = members(read_definition(definition), REPLICA_SETS, params, ONE_SET)
    return None if found is None else [each.body["metadata"]["name"] for each in found]


def test_what_is_a_fleet() -> None:
    one, other = a_set("a"), a_set("b")
    assert names(one) is None
    assert names([one]) == ["a"]
    assert names({"kind": "List", "items": [one, other]}) == ["a", "b"]
    assert names(one, fleet="web") == ["a"]
    assert members(None, REPLICA_SETS, {}, ONE_SET) is None
    assert members(read_files("sets", [("sets/a.yml", "kind: VirtualMachineInstanceReplicaSet")]), REPLICA_SETS, {}, ONE_SET) is not None


def test_each_module_takes_its_own_kind_from_what_serves_both() -> None:
    both = read_definition([a_set("a"), a_scaler("b"), a_set("c"), a_scaler("d")])
    assert names([a_set("a"), a_scaler("b"), a_set("c")]) == ["a", "c"]
    found = members(both, AUTOSCALERS, {}, ONE_AUTOSCALER)
    assert found is not None
    assert [(each.body["metadata"]["name"], each.source) for each in found] == [
        ("b", '"definition" (object 2)'),
        ("d", '"definition" (object 4)'),
    ]


def test_one_set_beside_its_autoscaler_is_one_set() -> None:
    pair = read_definition({"kind": "List", "items": [a_scaler(), a_set()]})
    assert members(pair, REPLICA_SETS, {}, ONE_SET) is None
    assert the_one(pair, REPLICA_SETS) == ([a_set()], '"definition" (object 2)')
    assert the_one(pair, AUTOSCALERS) == ([a_scaler()], '"definition" (object 1)')
    assert the_one(read_definition(a_set()), AUTOSCALERS) == ([a_set()], '"definition"')
    with_pod = read_definition({"kind": "List", "items": [a_set(), POD]})
    assert the_one(with_pod, REPLICA_SETS) == ([a_set(), POD], '"definition"')
    assert the_one(None, REPLICA_SETS) == (None, "the manifest")


@pytest.mark.parametrize(
    ("definition", "params", "words"),
    [
        ([a_set(), POD], {}, '"definition" (object 2) is a Pod: it must be a VirtualMachineInstanceReplicaSet.'),
        ([a_set(), {"metadata": {}}], {}, '"definition" (object 2) is an object without a kind: it must be a VirtualMachine'),
        ([a_scaler()], {}, '"definition" describes no VirtualMachineInstanceReplicaSet.'),
        ([], {}, '"definition" describes no VirtualMachineInstanceReplicaSet.'),
        (a_set(), {"prune": True}, '"prune" needs "fleet", whose label tells what may be removed.'),
        (a_set(), {"prune_namespaces": ["a"]}, '"prune_namespaces" needs "fleet", whose label'),
        (None, {"fleet": "web", "name": "x"}, '"fleet" takes its objects from "src" or "definition".'),
        ([a_set()], {"fleet": ""}, '"fleet" is "", which is no label value'),
        ([a_set()], {"fleet": "a b"}, '"fleet" is "a b", which is no label value'),
        ([a_set()], {"fleet": "-a"}, '"fleet" is "-a", which is no label value'),
        ([a_set()], {"fleet": "a" * 64}, "which is no label value"),
        ([a_set()], {"fleet": "a", "labels": {FLEET_LABEL: "b"}}, '"labels" has vmscale.kubevirt/fleet, which is what "fleet" gives'),
        ([a_set()], {"fleet": "a", "prune": True, "state": "absent"}, '"prune" and "state: absent" exclude each other'),
        ([a_set()], {"fleet": "a", "prune_namespaces": ["ok", "No"]}, 'The namespace "No" is not a DNS-1123 label'),
        *(([a_set()], {option: 1}, f'"{option}" describes one object, and "src" or "definition" may hold many') for option in ONE_SET),
    ],
)
def test_what_a_fleet_does_not_take(definition: t.Any, params: dict[str, t.Any], words: str) -> None:
    given = None if definition is None else read_definition(definition)
    with pytest.raises(OptionError, match=re.escape(words)):
        members(given, REPLICA_SETS, params, ONE_SET)


@pytest.mark.parametrize("value", ["a", "web-1", "A_b.c", "a" * 63])
def test_what_may_be_the_name_of_a_fleet(value: str) -> None:
    assert names(a_set(), fleet=value) == ["web"]


def wanted(*bodies: Object, fallback: str = "default", **params: t.Any) -> list[Wanted]:
    """Return the wanted sets of a fleet."""
    documents = read_definition([*bodies]).documents
    return wanted_of(documents, {"template_hash": False, **params}, ONE_SET, wanted_replica_set, fallback)


def test_the_namespace_is_that_of_objects_that_name_none() -> None:
    bodies = a_set("a"), a_set("b", namespace="other")
    assert [(each.namespace, each.name) for each in wanted(*bodies)] == [("default", "a"), ("other", "b")]
    assert [(each.namespace, each.name) for each in wanted(*bodies, namespace="web")] == [("web", "a"), ("other", "b")]


def test_shared_options_hold_for_all() -> None:
    found = wanted(a_set("a", labels={"x": "1"}), a_set("b"), labels={"team": "a"}, annotations={"n": "m"}, fleet="web")
    assert [each.body["metadata"]["labels"] for each in found] == [
        {"x": "1", "team": "a", FLEET_LABEL: "web"},
        {"team": "a", FLEET_LABEL: "web"},
    ]
    assert [each.body["metadata"]["annotations"] for each in found] == [{"n": "m"}] * 2
    assert [FLEET_LABEL in each.body["metadata"].get("labels", {}) for each in wanted(a_set())] == [False]
    assert wanted(a_set(labels={FLEET_LABEL: "web"}), fleet="web")


def test_everything_that_is_wrong_is_said_at_once_and_where() -> None:
    wrong = changed(a_set("a"), "spec.replicas", -1)
    with pytest.raises(OptionError, match=r'^"definition" \(object 2\): "replicas" \(spec.replicas\) is -1: it must be 0 or more\.$'):
        wanted(a_set("b"), wrong)
    version = {**a_set("c"), "apiVersion": "v2"}
    with pytest.raises(OptionError) as raised:
        wanted(wrong, a_set("b"), version, a_set("No"), a_set(""))
    assert raised.value.message == (
        '4 of 5 objects are not described as they must be. "definition" (object 1): "replicas" (spec.replicas) is -1: it must be 0 or more. '
        '"definition" (object 3) has the apiVersion "v2": a VirtualMachineInstanceReplicaSet is written as kubevirt.io/v1 or '
        'kubevirt.io/v1alpha3. "definition" (object 4): The name "No" is not a DNS-1123 subdomain: lower case letters, digits, "-" and ".", '
        "starting and ending with a letter or digit, at most 253 characters. And 1 more."
    )


def test_an_object_has_one_fleet() -> None:
    words = 'its label vmscale.kubevirt/fleet is "other", and "fleet" is "web": an object has one fleet.'
    with pytest.raises(OptionError, match=re.escape(words)):
        wanted(a_set(labels={FLEET_LABEL: "other"}), fleet="web")
    assert wanted(a_set(labels={FLEET_LABEL: "other"}))
    with pytest.raises(OptionError, match="metadata.labels"):
        wanted({**a_set(), "metadata": {"name": "a", "labels": "web"}}, fleet="web")


def test_an_object_is_described_once() -> None:
    with pytest.raises(OptionError, match="VirtualMachineInstanceReplicaSet default/web is described twice"):
        wanted(a_set(), a_set(namespace="default"))
    assert len(wanted(a_set(), a_set(namespace="other"))) == 2


def test_autoscalers_are_read_as_one_is() -> None:
    documents = read_definition([a_scaler("a"), a_scaler("b")]).documents
    found = wanted_of(documents, {"fleet": "web"}, ONE_AUTOSCALER, wanted_autoscaler, "default")
    assert [(each.name, each.body["metadata"]["labels"]) for each in found] == [(name, {FLEET_LABEL: "web"}) for name in "ab"]


def test_what_nobody_describes_any_more_and_the_fleet_owns() -> None:
    def live(name: str, namespace: str = "default", fleet: str | None = "web") -> Object:
        return {"metadata": {"name": name, "namespace": namespace, "labels": {FLEET_LABEL: fleet} if fleet else None}}

    present = [live("web"), live("web", "other"), live("old"), live("theirs", fleet="their"), live("nobodys", fleet=None)]
    found = surplus(present, wanted(a_set()), "web", REPLICA_SETS)
    assert [(each.namespace, each.name, each.resource) for each in found] == [
        ("other", "web", REPLICA_SETS),
        ("default", "old", REPLICA_SETS),
    ]


def result(name: str, msg: str | None = None, **flags: bool) -> dict[str, t.Any]:
    """Return the result of one object."""
    return {
        "name": name,
        "namespace": "ns",
        "changed": False,
        "failed": msg is not None,
        "skipped": False,
        "pruned": False,
        "msg": msg,
    } | flags


def test_the_summary_counts_each_object_once() -> None:
    results = [
        result("same"),
        result("made", changed=True),
        result("gone", changed=True, pruned=True),
        result("made and not ready", "no", changed=True),
        result("not gone", "no", changed=True, pruned=True),
        result("never begun", skipped=True),
        result("never removed", skipped=True, pruned=True),
    ]
    assert summary(results) == {"total": 7, "ok": 3, "changed": 2, "failed": 2, "pruned": 1, "skipped": 2}
    assert summary([]) == dict.fromkeys(("total", "ok", "changed", "failed", "pruned", "skipped"), 0)


def test_failures_are_told_with_whose_they_are() -> None:
    two = [result("a", "A is wrong."), result("b"), result("c", "C is wrong.")]
    assert say_failures(two, "sets") == "2 of 3 sets failed: ns/a: A is wrong. ns/c: C is wrong."
    many = [result(name, f"{name.upper()} is wrong.") for name in "abcde"]
    assert say_failures(many, "sets") == "5 of 5 sets failed: ns/a: A is wrong. ns/b: B is wrong. ns/c: C is wrong. And 2 more."
    same = [*(result(name, "Nobody may.") for name in "abcde"), result("f", "F is wrong.")]
    assert say_failures(same, "autoscalers") == ("6 of 6 autoscalers failed: ns/a, ns/b, ns/c and 2 more: Nobody may. ns/f: F is wrong.")
