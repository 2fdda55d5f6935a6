# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets stay out of results, diffs and messages, however deep they lie."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._arguments import hidden_values, shown_arguments
from ansible_collections.vmscale.kubevirt.plugins.module_utils._redact import (
    HIDDEN,
    HIDDEN_CHANGED,
    kubeconfig_secrets,
    redact,
    redact_pair,
    secret_values,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._report import diff, presentable
from unit.support.recorded import Object, real_autoscaler, real_set

KEYS = ["userData", "userDataBase64", "networkData", "networkDataBase64"]
SECRET = "#cloud-config\npassword: s3cret-pw\n"


def with_secret(key: str, value: str = SECRET, source: str = "cloudInitNoCloud") -> Object:
    """Return a set whose template carries cloud-init data."""
    volumes = [{"name": "disk", "containerDisk": {"image": "x"}}, {"name": "init", source: {key: value}}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"volumes": volumes}}
    return {
        "kind": "VirtualMachineInstanceReplicaSet",
        "metadata": {"name": "web", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(template)}},
        "spec": {"template": template},
    }


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("source", ["cloudInitNoCloud", "cloudInitConfigDrive", "anythingElse"])
def test_cloud_init_data_is_hidden_at_any_depth(key: str, source: str) -> None:
    live = with_secret(key, source=source)
    untouched = copy.deepcopy(live)
    for shown in (redact(live), presentable(live), redact([[{"items": [live]}]])):
        assert "s3cret-pw" not in json.dumps(shown)
        assert HIDDEN in json.dumps(shown)
    assert live == untouched
    shown = presentable(live)
    assert shown["spec"]["template"]["spec"]["volumes"][0] == {"name": "disk", "containerDisk": {"image": "x"}}
    assert shown["spec"]["template"]["spec"]["volumes"][1] == {"name": "init", source: {key: HIDDEN}}


def test_references_to_secrets_are_shown() -> None:
    source = {"secretRef": {"name": "init"}, "networkDataSecretRef": {"name": "net"}, "userData": None}
    assert redact(source) == source


@pytest.mark.parametrize("live", [real_set("idle"), real_autoscaler("idle")], ids=["set", "autoscaler"])
def test_copies_of_a_manifest_are_hidden(live: Object) -> None:
    shown = presentable(live)
    assert shown["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] == HIDDEN


@pytest.mark.parametrize("key", KEYS)
def test_a_diff_hides_cloud_init_data_on_both_sides(key: str) -> None:
    before, after = with_secret(key), with_secret(key, "another s3cret-pw")
    shown = diff(before, after, "x")
    assert "s3cret-pw" not in json.dumps(shown)
    volumes = [shown[side]["spec"]["template"]["spec"]["volumes"][1] for side in ("before", "after")]
    assert [volume["cloudInitNoCloud"][key] for volume in volumes] == [HIDDEN, HIDDEN_CHANGED]
    same = diff(before, with_secret(key), "x")
    assert same["before"] == same["after"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, with_secret("userData")),
        (with_secret("userData"), None),
        (with_secret("userData"), with_secret("userDataBase64")),
        ({"a": [{"userData": SECRET}]}, {"a": [{"userData": SECRET}, {"userData": SECRET}]}),
        ({"a": {"userData": SECRET}}, {"a": {}}),
        ({"a": {}}, {"a": {"userData": SECRET}}),
        ({"a": {"userData": SECRET}}, {"a": {"userData": None}}),
        ({"a": {"userData": None}}, {"a": {"userData": SECRET}}),
        ({"a": {"userData": SECRET}}, {"a": "text"}),
        ({"a": "text"}, {"a": {"userData": SECRET}}),
        ({"a": [{"userData": SECRET}]}, {"a": {"userData": SECRET}}),
    ],
)
def test_no_pair_of_sides_shows_a_secret(before: t.Any, after: t.Any) -> None:
    assert "s3cret-pw" not in json.dumps(redact_pair(before, after))
    assert "s3cret-pw" not in json.dumps(redact_pair([before], [after]))


def test_a_pair_keeps_what_is_no_secret() -> None:
    before, after = {"a": 1, "l": [{"x": 1}]}, {"b": 2, "l": [{"x": 2}]}
    assert redact_pair(before, after) == (before, after)
    longer = {"l": [{"x": 1}, {"x": 3}]}
    assert redact_pair(before, longer) == (before, longer)
    assert redact_pair(longer, before) == (longer, before)


def test_secret_texts_are_collected_to_be_blanked_out() -> None:
    assert secret_values([with_secret("userData")]) == {SECRET}
    assert secret_values({"userData": "short"}) == set()
    assert secret_values({"userData": None, "networkData": {"userDataBase64": "c2VjcmV0"}}) == {"c2VjcmV0"}
    assert secret_values({"name": "userData"}) == set()


def test_secrets_of_a_kubeconfig_are_collected() -> None:
    users = [
        {"name": "a", "user": {"token": "tok-secret"}},
        {
            "name": "b",
            "user": {"client-key-data": "a2V5", "client-certificate-data": "Y2VydGlm", "username": "readable", "password": "pw-secret"},
        },
        {"name": "c", "user": {"auth-provider": {"config": {"id-token": "id-secret", "refresh-token": "re-secret"}}}},
    ]
    expected = {"tok-secret", "Y2VydGlm", "pw-secret", "id-secret", "re-secret"}
    assert kubeconfig_secrets({"users": users}) == expected
    assert hidden_values({"kubeconfig": {"users": users}, "template": with_secret("userData")}) == {*expected, SECRET}
    assert kubeconfig_secrets("/home/me/.kube/config") == set()


def test_the_arguments_that_a_result_shows_hold_no_secret() -> None:
    params = {
        "definition": json.dumps(with_secret("userData")),
        "template": with_secret("networkData")["spec"]["template"],
        "kubeconfig": {"users": [{"user": {"token": "s3cret-pw"}}]},
        "name": "web",
        "replicas": 3,
    }
    shown = shown_arguments(params)
    assert "s3cret-pw" not in json.dumps(shown)
    assert (shown["name"], shown["replicas"], shown["kubeconfig"], shown["definition"]) == ("web", 3, HIDDEN, HIDDEN)
    assert shown_arguments({"kubeconfig": "/k", "definition": None}) == {"kubeconfig": "/k", "definition": None}


@pytest.mark.parametrize("option", ["definition", "resource_definition"])
def test_a_text_in_a_list_of_definitions_is_hidden_as_a_whole(option: str) -> None:
    shown = shown_arguments({option: [json.dumps(with_secret("userData")), with_secret("userData"), {"kind": "x"}]})
    assert "s3cret-pw" not in json.dumps(shown)
    assert (shown[option][0], shown[option][2]) == (HIDDEN, {"kind": "x"})
    assert shown_arguments({option: json.dumps(with_secret("userData"))}) == {option: HIDDEN}
