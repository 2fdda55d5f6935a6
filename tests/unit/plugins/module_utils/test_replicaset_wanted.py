# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wanted replica set, from manifest and options."""

from __future__ import annotations

import copy
import re
import typing as t

import pytest
import yaml

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted, template_hash, with_template_hash
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset_wanted import wanted_replica_set
from unit.support.recorded import SEED_SET

HASH_LABEL = "vmscale.kubevirt/template-hash"
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"domain": {"devices": {}}}}
SELECTOR = {"matchLabels": {"app": "web"}}


def wanted(manifest: t.Any = None, **params: t.Any) -> Wanted:
    """Return what the options and the manifest want."""
    return wanted_replica_set(params, manifest, '"definition"', "default")


def test_the_seed_is_wanted_as_it_is_written_but_for_its_null_and_the_hash() -> None:
    found = wanted(SEED_SET)
    assert (found.namespace, found.name, found.is_complete) == ("default", "testreplicaset", True)
    assert found.label == "VirtualMachineInstanceReplicaSet default/testreplicaset"
    expected = yaml.safe_load(SEED_SET)
    del expected["spec"]["template"]["spec"]["domain"]["devices"]["disks"][0]["disk"]
    expected["metadata"]["namespace"] = "default"
    expected["spec"]["template"]["metadata"]["labels"][HASH_LABEL] = template_hash(expected["spec"]["template"])
    assert found.body == expected


def test_the_seed_can_be_written_with_options_alone() -> None:
    spec = yaml.safe_load(SEED_SET)["spec"]
    from_options = wanted(name="testreplicaset", replicas=3, selector=spec["selector"], template=spec["template"])
    assert from_options == wanted(SEED_SET)


def test_options_complete_the_manifest() -> None:
    found = wanted(SEED_SET, namespace="prod", paused=True, labels={"a": "1"}, annotations={"b": "2"}, replicas=3)
    assert found.namespace == "prod"
    assert found.body["metadata"] == {"name": "testreplicaset", "namespace": "prod", "labels": {"a": "1"}, "annotations": {"b": "2"}}
    assert found.spec["paused"] is True


def test_options_that_contradict_the_manifest_are_refused() -> None:
    with pytest.raises(OptionError, match='"replicas" is 4 and spec.replicas in "definition" is 3'):
        wanted(SEED_SET, replicas=4)


def test_without_template_it_is_a_partial_change() -> None:
    found = wanted(name="web", replicas=0)
    assert not found.is_complete
    assert found.spec == {"replicas": 0}
    assert found.body["metadata"] == {"name": "web", "namespace": "default"}


def test_the_older_version_is_sent_as_v1() -> None:
    assert wanted(SEED_SET.replace("kubevirt.io/v1", "kubevirt.io/v1alpha3")).body["apiVersion"] == "kubevirt.io/v1"


def test_to_remove_a_set_its_manifest_need_not_be_valid() -> None:
    manifest = yaml.safe_load(SEED_SET)
    manifest["spec"]["selector"] = {"matchLabels": {"other": "x"}}
    found = wanted(manifest, state="absent")
    assert found.name == "testreplicaset"
    assert HASH_LABEL not in found.spec["template"]["metadata"]["labels"]


@pytest.mark.parametrize("replicas", [True, False, -1, "3", 1.5, [3]])
def test_replicas_that_are_no_count_are_refused(replicas: t.Any) -> None:
    with pytest.raises(OptionError, match=re.escape('"replicas" (spec.replicas) is ')):
        wanted({**yaml.safe_load(SEED_SET), "spec": {"replicas": replicas, "selector": SELECTOR, "template": TEMPLATE}})


@pytest.mark.parametrize(
    ("selector", "labels", "words"),
    [
        (None, {"app": "web"}, '"selector" (spec.selector) is missing or empty'),
        ({}, {"app": "web"}, '"selector" (spec.selector) is missing or empty'),
        ({"matchLabels": {}}, {"app": "web"}, '"selector" (spec.selector) is missing or empty'),
        (
            {"matchLabels": {"app": "db"}},
            {"app": "web"},
            'the selector wants app=db, and spec.template.metadata.labels has {"app": "web"}.',
        ),
        ({"matchLabels": {"app": "web"}}, None, "the selector wants app=web, and spec.template.metadata.labels has {}."),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, {"app": "web"}, "the selector wants !app"),
    ],
)
def test_a_selector_that_kubevirt_would_refuse_or_misuse_is_refused(selector: t.Any, labels: t.Any, words: str) -> None:
    template = {"metadata": {"labels": labels}, "spec": {}}
    with pytest.raises(OptionError) as caught:
        wanted(name="web", selector=selector, template=template)
    assert words in caught.value.message


@pytest.mark.parametrize("template", ["text", 7, [], True])
def test_a_template_that_is_no_mapping_is_refused(template: t.Any) -> None:
    with pytest.raises(OptionError, match="template"):
        wanted({**yaml.safe_load(SEED_SET), "spec": {"selector": SELECTOR, "template": template}})


@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_labels_and_annotations_of_the_template_must_be_texts(where: str) -> None:
    template = {"metadata": {"labels": {"app": "web"}, where: {"app": "web", "x": 1}}, "spec": {}}
    with pytest.raises(OptionError, match=rf'spec\.template\.metadata\.{where} "x" is 1, which is no text'):
        wanted(name="web", selector=SELECTOR, template=template)


def test_the_hash_can_be_left_out() -> None:
    assert HASH_LABEL not in wanted(SEED_SET, template_hash=False).spec["template"]["metadata"]["labels"]


def test_the_hash_of_a_template_never_changes() -> None:
    # Another hash for the same template would make every running VMI outdated after an update of the collection.
    assert template_hash(TEMPLATE) == "07e9d5d504"


def test_the_hash_does_not_depend_on_order_or_on_the_label_that_carries_it() -> None:
    reordered = {"spec": {"domain": {"devices": {}}}, "metadata": {"labels": {"app": "web"}}}
    assert template_hash(reordered) == template_hash(TEMPLATE)
    stamped = with_template_hash({"spec": {"template": copy.deepcopy(TEMPLATE)}})["spec"]["template"]
    assert stamped["metadata"]["labels"] == {"app": "web", HASH_LABEL: template_hash(TEMPLATE)}
    assert template_hash(stamped) == template_hash(TEMPLATE)


def test_a_stale_hash_in_the_manifest_is_replaced() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["metadata"]["labels"][HASH_LABEL] = "stale"  # type: ignore[index]
    found = wanted(name="web", selector=SELECTOR, template=template)
    assert found.spec["template"]["metadata"]["labels"][HASH_LABEL] == template_hash(TEMPLATE)


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"domain": {"devices": {"disks": []}}}},
        {"spec": {"domain": {"devices": {}}, "hostname": "x"}},
        {"metadata": {"labels": {"app": "web", "x": "y"}}},
        {"metadata": {"labels": {"app": "web"}, "annotations": {"x": "y"}}},
    ],
)
def test_every_change_of_a_template_changes_its_hash(change: dict[str, t.Any]) -> None:
    assert template_hash({**TEMPLATE, **change}) != template_hash(TEMPLATE)


def test_a_null_in_the_template_does_not_change_its_hash() -> None:
    written = wanted(SEED_SET).spec["template"]["metadata"]["labels"][HASH_LABEL]
    without = wanted(SEED_SET.replace("          - disk:\n            name:", "          - name:"))
    assert without.spec["template"]["metadata"]["labels"][HASH_LABEL] == written
