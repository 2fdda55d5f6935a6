# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which fields are ours, read from managedFields as an API server wrote them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._ownership import extract, owned_fields, surplus
from unit.support.objects import changed
from unit.support.recorded import real_set, sandbox

KEYED = {
    "f:spec": {
        "f:ports": {
            ".": {},
            'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:name": {}},
            'k:{"port":443,"protocol":"TCP"}': {".": {}, "f:port": {}},
        },
        "f:finalizers": {'v:"ours"': {}, "v:7": {}},
    }
}
PORTS = {
    "spec": {
        "ports": [
            {"port": 80, "protocol": "TCP", "name": "http", "nodePort": 30000},
            {"port": 443, "protocol": "TCP", "name": "https"},
            {"port": 22, "protocol": "TCP"},
        ],
        "finalizers": ["theirs", "ours", 7],
    }
}


def entry(manager: str, operation: str, fields: dict[str, t.Any], **more: str) -> dict[str, t.Any]:
    """Return an entry of managedFields."""
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


def test_only_what_we_applied_is_ours() -> None:
    live = {
        "metadata": {
            "managedFields": [
                entry("vmscale.kubevirt", "Update", {"f:a": {}}),
                entry("kubectl", "Apply", {"f:b": {}}),
                entry("vmscale.kubevirt", "Apply", {"f:c": {}}, subresource="scale"),
                entry("vmscale.kubevirt", "Apply", {"f:d": {}}),
            ]
        }
    }
    assert owned_fields(live) == {"f:d": {}}


@pytest.mark.parametrize(
    "live", [{}, {"metadata": {}}, {"metadata": {"managedFields": None}}, {"metadata": {"managedFields": []}}, real_set("idle")]
)
def test_nothing_is_ours_where_we_applied_nothing(live: dict[str, t.Any]) -> None:
    assert owned_fields(live) == {}


def test_an_autoscaler_takes_the_replicas_over() -> None:
    before, after = (owned_fields(sandbox(state, "vmirs"))["f:spec"] for state in ("ready", "scaled"))
    assert "f:replicas" in before
    assert "f:replicas" not in after


@pytest.mark.parametrize("state", ["created", "ready", "paused", "scaled", "deleting"])
def test_what_is_still_wanted_is_no_surplus(state: str) -> None:
    live = sandbox(state, "vmirs")
    assert surplus(owned_fields(live), live) == []


@pytest.mark.parametrize(
    ("path", "reported"),
    [
        ("metadata.labels.team", ["metadata.labels.team"]),
        ("metadata.labels", ["metadata.labels"]),
        ("spec.selector", ["spec.selector"]),
        ("spec.template.spec.domain.resources", ["spec.template.spec.domain.resources"]),
        ("spec.template.spec.volumes", ["spec.template.spec.volumes"]),
        ("metadata.annotations", []),
        ("status", []),
    ],
)
def test_what_is_ours_and_no_longer_wanted_is_surplus(path: str, reported: list[str]) -> None:
    live = sandbox("ready", "vmirs")
    assert surplus(owned_fields(live), changed(live, path, None)) == reported


def test_entries_of_keyed_lists_are_found_by_key_and_by_value() -> None:
    assert surplus(KEYED, PORTS) == []
    wanted = {"spec": {"ports": [{"port": 80, "protocol": "TCP"}], "finalizers": ["ours"]}}
    assert surplus(KEYED, wanted) == [
        'spec.ports[{"port":80,"protocol":"TCP"}].name',
        'spec.ports[{"port":443,"protocol":"TCP"}]',
        "spec.finalizers[7]",
    ]


def test_our_part_is_what_applying_again_keeps() -> None:
    live = sandbox("scaled", "vmirs")
    ours = extract(owned_fields(live), live)
    assert ours["metadata"] == {"labels": {"team": "a"}}
    assert ours["spec"]["selector"] == live["spec"]["selector"]
    assert ours["spec"]["template"] == live["spec"]["template"]
    assert "replicas" not in ours["spec"]
    assert "status" not in ours


def test_a_quantity_that_virt_controller_rewrote_is_no_longer_ours() -> None:
    live = sandbox("ready", "vmirs")
    assert live["spec"]["template"]["spec"]["domain"]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    ours = extract(owned_fields(live), live)
    assert ours["spec"]["template"]["spec"]["domain"]["resources"]["requests"] == {"cpu": "500m"}


def test_our_part_of_keyed_lists_leaves_out_the_entries_and_fields_of_others() -> None:
    assert extract(KEYED, PORTS) == {
        "spec": {"ports": [{"port": 80, "name": "http"}, {"port": 443}], "finalizers": ["ours", 7]},
    }


def test_a_field_that_somebody_else_took_out_is_not_ours_any_more() -> None:
    live = changed(sandbox("ready", "vmirs"), "metadata.labels", None)
    assert "labels" not in extract(owned_fields(live), live)["metadata"]
    gone = {"spec": {"ports": [{"port": 22, "protocol": "TCP"}], "finalizers": ["theirs"]}}
    assert extract(KEYED, gone) == {"spec": {"ports": [], "finalizers": []}}
