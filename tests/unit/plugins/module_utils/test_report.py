# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user gets back: objects, diffs and sentences."""

from __future__ import annotations

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._report import diff, is_same, presentable, sentence, tidy
from unit.support.objects import changed
from unit.support.recorded import Object, real_set, sandbox


def test_a_result_is_the_object_without_managed_fields() -> None:
    live = sandbox("ready", "vmirs")
    shown = presentable(live)
    assert shown == changed(live, "metadata.managedFields", None)
    assert "managedFields" in live["metadata"]
    assert presentable(None) == {}


def test_a_diff_shows_only_what_a_user_writes() -> None:
    shown = tidy(sandbox("ready", "vmirs"))
    assert set(shown) == {"apiVersion", "kind", "metadata", "spec"}
    assert shown["metadata"] == {"name": "web", "namespace": "recorded", "labels": {"team": "a"}}
    assert tidy(real_set("idle"))["metadata"] == {"name": "testreplicaset", "namespace": "default"}
    kept = tidy(changed(real_set("idle"), "metadata.annotations.mine", "x"))
    assert kept["metadata"]["annotations"] == {"mine": "x"}


def test_a_diff_of_what_is_made_or_removed_has_one_empty_side() -> None:
    live = sandbox("ready", "vmirs")
    made = diff(None, live, "the label")
    assert (made["before"], made["after"]) == ({}, tidy(live))
    assert (made["before_header"], made["after_header"]) == ("the label", "the label")
    assert diff(live, None, "x")["after"] == {}


@pytest.mark.parametrize(
    ("path", "value", "same"),
    [
        ("status.readyReplicas", 0, True),
        ("metadata.resourceVersion", "9", True),
        ("metadata.generation", 9, True),
        ("metadata.managedFields", [], True),
        ("metadata.annotations", None, True),
        ("metadata.annotations.mine", "x", False),
        ("metadata.labels.team", "b", False),
        ("spec.replicas", 9, False),
    ],
)
def test_only_what_a_user_writes_counts_as_a_change(path: str, value: object, same: bool) -> None:
    live: Object = sandbox("ready", "vmirs")
    assert is_same(live, changed(live, path, value)) is same


def test_a_sentence_joins_its_reasons() -> None:
    assert sentence("Kind ns/x", "is not ready after 3 s", ["a.", "b"]) == "Kind ns/x is not ready after 3 s: a; b."
