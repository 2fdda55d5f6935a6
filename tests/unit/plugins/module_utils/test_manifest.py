# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a manifest: the one object of the right kind, or a sentence that says what is wrong."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import read_manifest
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS, REPLICA_SETS
from unit.support.recorded import SEED_AUTOSCALER, SEED_SET, real_set

VERSIONS = ("kubevirt.io/v1", "kubevirt.io/v1alpha3")
SET: dict[str, t.Any] = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachineInstanceReplicaSet",
    "metadata": {"name": "web"},
    "spec": {"replicas": 3},
}


def read(given: t.Any) -> dict[str, t.Any]:
    """Read a manifest of a replica set."""
    return read_manifest(given, '"definition"', REPLICA_SETS, VERSIONS)


def test_the_seed_set_is_read_without_its_null() -> None:
    assert "- disk:\n" in SEED_SET
    body = read(SEED_SET)
    assert body["metadata"] == {"name": "testreplicaset"}
    assert body["spec"]["replicas"] == 3
    assert body["spec"]["template"]["spec"]["domain"]["devices"]["disks"] == [{"name": "containerdisk"}]
    assert body["spec"]["template"]["spec"]["domain"]["resources"] == {"requests": {"memory": "64M"}}


def test_the_seed_autoscaler_is_read_in_spite_of_its_empty_second_document() -> None:
    assert SEED_AUTOSCALER.startswith("---\n")
    assert SEED_AUTOSCALER.rstrip().endswith("\n---")
    body = read_manifest(SEED_AUTOSCALER, '"src" test-hpa.yaml', AUTOSCALERS, ("autoscaling/v1", "autoscaling/v2"))
    assert body["metadata"] == {"name": "test-hpa"}
    assert body["spec"]["targetCPUUtilizationPercentage"] == 50


@pytest.mark.parametrize(
    "given",
    [
        SET,
        [SET],
        json.dumps(SET),
        [json.dumps(SET)],
        f"---\n{json.dumps(SET)}\n---\n---\n# nothing\n",
        f"\ufeff{json.dumps(SET)}",
        {"apiVersion": "v1", "kind": "List", "items": [SET]},
        {"kind": "VirtualMachineInstanceReplicaSetList", "items": [SET]},
    ],
    ids=["mapping", "list of one", "text", "list of one text", "empty documents around", "byte order mark", "List", "typed list"],
)
def test_every_form_of_one_object_is_read(given: t.Any) -> None:
    assert read(given) == SET


def test_the_older_version_is_read() -> None:
    assert read({**SET, "apiVersion": "kubevirt.io/v1alpha3"})["spec"] == SET["spec"]


def test_what_only_the_server_sets_is_left_out() -> None:
    body = read(real_set("idle"))
    assert set(body) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(body["metadata"]) == {"annotations", "name", "namespace"}


def test_the_given_mapping_is_left_as_it_was() -> None:
    given = {**SET, "metadata": {"name": "web", "uid": "x", "labels": None}, "status": {}}
    read(given)
    assert given["metadata"] == {"name": "web", "uid": "x", "labels": None}
    assert "status" in given


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("kind: [", '"definition" is not YAML (line '),
        ("a:\n\t- b", '"definition" is not YAML (line 2, column 1): '),
        ("a: b: c", '"definition" is not YAML (line 1, column 5): mapping values are not allowed'),
        ("a: !!python/object:os.system {}", '"definition" is not YAML (line 1, column 4): could not determine a constructor'),
        ("a: \x00", '"definition" is not YAML'),
        ("", '"definition" holds no object: it must be one VirtualMachineInstanceReplicaSet.'),
        ("---\n---\n", '"definition" holds no object'),
        ("# nothing\n", '"definition" holds no object'),
        ([], '"definition" holds no object'),
        (None, '"definition" holds no object'),
        ({"kind": "List", "items": []}, '"definition" holds no object'),
        ("just text", '"definition" is no Kubernetes object: it holds a text where a mapping must be.'),
        ("- 1", '"definition" is no Kubernetes object: it holds a list where a mapping must be.'),
        (7, '"definition" is no Kubernetes object: it holds a int where a mapping must be.'),
        (["7"], '"definition" is no Kubernetes object: it holds a int where a mapping must be.'),
        ({}, '"definition" holds a object without a kind: it must be one VirtualMachineInstanceReplicaSet.'),
        ({**SET, "kind": "Deployment"}, '"definition" holds a Deployment: it must be one VirtualMachineInstanceReplicaSet.'),
        ({**SET, "kind": "virtualmachineinstancereplicaset"}, '"definition" holds a virtualmachineinstancereplicaset: it must be one'),
        ({"kind": "List", "items": "x"}, '"definition" holds a List: it must be one'),
        (
            [SET, SET],
            '"definition" holds 2 objects (VirtualMachineInstanceReplicaSet, VirtualMachineInstanceReplicaSet): it must be exactly one',
        ),
        (
            f"{json.dumps(SET)}\n---\nkind: Service\n",
            '"definition" holds 2 objects (VirtualMachineInstanceReplicaSet, Service): it must be exactly one',
        ),
        ({"kind": "List", "items": [SET, {"kind": "Service"}]}, '"definition" holds 2 objects (VirtualMachineInstanceReplicaSet, Service)'),
        (
            {**SET, "apiVersion": "apps/v1"},
            '"definition" has the apiVersion "apps/v1": a VirtualMachineInstanceReplicaSet is written as kubevirt.io/v1 or '
            "kubevirt.io/v1alpha3.",
        ),
        ({"kind": SET["kind"]}, '"definition" has the apiVersion "None"'),
        ({**SET, "metadata": "web"}, '"metadata" and "spec" in "definition" must be mappings.'),
        ({**SET, "spec": [1]}, '"metadata" and "spec" in "definition" must be mappings.'),
    ],
)
def test_says_what_is_wrong_with_a_manifest(given: t.Any, sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        read(given)
    assert caught.value.message.startswith(sentence)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message


def test_dates_and_addresses_stay_text_as_for_kubectl() -> None:
    body = read(f"{json.dumps(SET)[:-1]}, x: {{released: 2026-01-31, mac: 52:54:00:12:34:56}} }}")
    assert body["x"] == {"released": "2026-01-31", "mac": "52:54:00:12:34:56"}
