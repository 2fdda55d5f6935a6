# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Typed options beside a manifest: they complete it, must agree with it, and are checked like it."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import (
    Choice,
    check_count,
    check_texts,
    complete,
    complete_map,
    identify,
)


def body(**parts: t.Any) -> dict[str, t.Any]:
    """Return a manifest."""
    return {"metadata": {}, "spec": {}, **parts}


def test_options_complete_a_manifest() -> None:
    found = complete(
        body(spec={"replicas": 3}),
        "src x",
        [
            Choice("paused", ("spec", "paused"), False),
            Choice("selector", ("spec", "selector"), {"matchLabels": {"a": "b"}, "matchExpressions": None}),
            Choice("template", ("spec", "template"), None),
        ],
    )
    assert found["spec"] == {"replicas": 3, "paused": False, "selector": {"matchLabels": {"a": "b"}}}


@pytest.mark.parametrize("value", [3, {"matchLabels": {"a": "b"}}, False])
def test_options_may_repeat_what_the_manifest_says(value: t.Any) -> None:
    assert complete(body(spec={"x": value}), "src x", [Choice("x", ("spec", "x"), value)])["spec"] == {"x": value}


@pytest.mark.parametrize(
    ("in_manifest", "in_option", "words"),
    [
        (3, 5, 'the option "x" is 5 and spec.x in src f is 3'),
        (3, 0, 'the option "x" is 0 and spec.x in src f is 3'),
        (False, True, 'the option "x" is true and spec.x in src f is false'),
        ({"a": 1, "b": 2}, {"a": 1}, 'the option "x" is {"a": 1} and spec.x in src f is {"a": 1, "b": 2}'),
        ({"a": 1}, {"a": 1, "b": 2}, 'the option "x" is {"a": 1, "b": 2} and spec.x in src f is {"a": 1}'),
        ([1], [1, 2], 'the option "x" is [1, 2] and spec.x in src f is [1]'),
    ],
)
def test_options_must_not_contradict_the_manifest(in_manifest: t.Any, in_option: t.Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        complete(body(spec={"x": in_manifest}), "src f", [Choice("x", ("spec", "x"), in_option)])
    assert caught.value.message == f"The options contradict each other: {words}. Say it in one place."


def test_every_contradiction_is_named_at_once() -> None:
    with pytest.raises(OptionError) as caught:
        complete(body(spec={"a": 1, "b": 2}), "src f", [Choice("a", ("spec", "a"), 2), Choice("b", ("spec", "b"), 3)])
    assert '"a" is 2' in caught.value.message
    assert '"b" is 3' in caught.value.message


def test_a_contradiction_does_not_print_cloud_init_data() -> None:
    holder = {"v": [{"userData": "s3cret-pw"}]}
    with pytest.raises(OptionError) as caught:
        complete(body(spec={"template": holder}), "src f", [Choice("template", ("spec", "template"), {"x": 1})])
    assert "s3cret-pw" not in caught.value.message


def test_a_long_value_is_cut_in_a_message() -> None:
    with pytest.raises(OptionError) as caught:
        complete(body(spec={"x": "a" * 500}), "src f", [Choice("x", ("spec", "x"), "b")])
    assert len(caught.value.message) < 250


def test_labels_are_completed_key_by_key() -> None:
    found = complete_map(body(metadata={"labels": {"a": "1"}}), "src f", "labels", {"a": "1", "b": "2"})
    assert found["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert complete_map(body(), "src f", "annotations", None) == body()
    with pytest.raises(OptionError, match=re.escape('the option "labels" is "2" and metadata.labels.a in src f is "1"')):
        complete_map(body(metadata={"labels": {"a": "1"}}), "src f", "labels", {"a": "2"})


@pytest.mark.parametrize("labels", ["text", 7, ["a"], True])
def test_labels_that_are_no_mapping_are_refused_beside_the_option(labels: t.Any) -> None:
    with pytest.raises(OptionError, match=r"metadata\.labels"):
        complete_map(body(metadata={"labels": labels}), "src f", "labels", {"a": "1"})


@pytest.mark.parametrize(
    ("metadata", "name", "namespace", "found"),
    [
        ({"name": "web"}, None, None, ("fallback", "web")),
        ({"name": "web", "namespace": "prod"}, None, None, ("prod", "web")),
        ({"name": "web", "namespace": "prod"}, "web", "prod", ("prod", "web")),
        ({}, "web", "prod", ("prod", "web")),
        ({}, "web.v1-2.x", None, ("fallback", "web.v1-2.x")),
        ({}, "a" * 253, "b" * 63, ("b" * 63, "a" * 253)),
        ({}, "0", "0", ("0", "0")),
    ],
)
def test_name_and_namespace_come_from_options_manifest_and_context(
    metadata: dict[str, t.Any], name: str | None, namespace: str | None, found: tuple[str, str]
) -> None:
    manifest = body(metadata=metadata)
    assert identify(manifest, "src f", name, namespace, "fallback") == found
    assert (manifest["metadata"]["namespace"], manifest["metadata"]["name"]) == found


@pytest.mark.parametrize(
    "name", ["Web", "web_1", "-web", "web-", "web..x", ".web", "web.", "a/b", "a b", "wéb", "web\n", "a" * 254, 7, True, ["web"]]
)
def test_names_that_kubernetes_refuses_are_refused(name: t.Any) -> None:
    with pytest.raises(OptionError, match="is not a DNS-1123 subdomain"):
        identify(body(metadata={"name": name}), "src f", None, None, "default")


@pytest.mark.parametrize("namespace", ["Prod", "a.b", "-a", "a-", "a_b", "a" * 64, "a\n", 7, ["a"]])
def test_namespaces_that_kubernetes_refuses_are_refused(namespace: t.Any) -> None:
    with pytest.raises(OptionError, match="is not a DNS-1123 label"):
        identify(body(metadata={"name": "web", "namespace": namespace}), "src f", None, None, "default")


@pytest.mark.parametrize("name", [None, ""])
def test_an_object_needs_a_name(name: str | None) -> None:
    with pytest.raises(OptionError, match="The object has no name"):
        identify(body(), "src f", name, None, "default")


def test_name_and_namespace_must_not_contradict_the_manifest() -> None:
    with pytest.raises(OptionError) as caught:
        identify(body(metadata={"name": "web", "namespace": "prod"}), "src f", "db", "test", "default")
    assert '"name" is "db" and metadata.name in src f is "web"' in caught.value.message
    assert '"namespace" is "test" and metadata.namespace in src f is "prod"' in caught.value.message


@pytest.mark.parametrize(("value", "shown"), [(1, "1"), (True, "true"), (1.5, "1.5"), ({}, "{}"), ([], "[]")])
def test_labels_and_annotations_must_hold_texts(value: t.Any, shown: str) -> None:
    with pytest.raises(OptionError, match=re.escape(f'metadata.labels "x" is {shown}, which is no text: put it in quotes.')):
        check_texts(body(metadata={"labels": {"ok": "text", "x": value}}), ("metadata", "labels"))


def test_texts_are_checked_only_where_there_are_any() -> None:
    check_texts(body(), ("metadata", "labels"), ("spec", "template", "metadata", "labels"))
    with pytest.raises(OptionError, match=r"metadata\.labels must be a mapping of texts, and is a list\."):
        check_texts(body(metadata={"labels": ["x"]}), ("metadata", "labels"))


@pytest.mark.parametrize("value", [0, 1, 10**6])
def test_counts_are_whole_numbers(value: int) -> None:
    check_count(value, "replicas", "spec.replicas", 0)


@pytest.mark.parametrize(
    ("value", "least", "words"),
    [
        (True, 0, "is true, which is not a whole number."),
        (False, 0, "is false, which is not a whole number."),
        ("3", 0, 'is "3", which is not a whole number.'),
        (1.5, 0, "is 1.5, which is not a whole number."),
        ([3], 0, "is [3], which is not a whole number."),
        (-1, 0, "is -1: it must be 0 or more."),
        (0, 1, "is 0: it must be 1 or more."),
    ],
)
def test_what_is_no_count_is_refused(value: t.Any, least: int, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_count(value, "replicas", "spec.replicas", least)
    assert caught.value.message == f'"replicas" (spec.replicas) {words}'
