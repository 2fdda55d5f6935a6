# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sandbox gives KWOK and the API server is well formed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sandbox.api import collection_path
from sandbox.installation import MANIFESTS, OPERATOR_ROLE
from sandbox.nodes import COUNT, nodes
from sandbox.state import Sandbox


@pytest.mark.parametrize("path", sorted(MANIFESTS.iterdir()), ids=lambda path: path.name)
def test_manifests_hold_named_objects(path: Path) -> None:
    objects = list(yaml.safe_load_all(path.read_text()))
    assert all(each["kind"] == "Policy" or each["metadata"]["name"] for each in objects)


def test_stages_use_one_prefix_for_dials() -> None:
    text = "".join((MANIFESTS / name).read_text() for name in ("vmi-stages.yaml", "launcher-stages.yaml"))
    assert text.count('annotations["') == text.count('annotations["sandbox.vmscale.kubevirt/') > 0


def test_the_operator_s_role_allows_no_wildcard() -> None:
    role = yaml.safe_load(OPERATOR_ROLE.read_text())
    assert role["metadata"]["name"] == "vmscale-kubevirt-operator"
    assert not any("*" in rule[key] for rule in role["rules"] for key in ("apiGroups", "resources", "verbs"))


def test_nodes_have_no_heartbeat_that_could_grow_stale() -> None:
    assert len(nodes()) == COUNT >= 4
    assert all("kubevirt.io/heartbeat" not in node["metadata"]["annotations"] for node in nodes())


@pytest.mark.parametrize(
    ("version", "kind", "namespace", "path"),
    [
        ("v1", "Namespace", None, "/api/v1/namespaces"),
        ("v1", "Service", "a", "/api/v1/namespaces/a/services"),
        ("scheduling.k8s.io/v1", "PriorityClass", None, "/apis/scheduling.k8s.io/v1/priorityclasses"),
        ("kubevirt.io/v1", "KubeVirt", "a", "/apis/kubevirt.io/v1/namespaces/a/kubevirts"),
    ],
)
def test_collection_paths(version: str, kind: str, namespace: str | None, path: str) -> None:
    metadata = {"name": "x", **({"namespace": namespace} if namespace else {})}
    assert collection_path({"apiVersion": version, "kind": kind, "metadata": metadata}) == path


@pytest.mark.parametrize("name", ["", "Up", "-a", "a/b", "a" * 43])
def test_odd_sandbox_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="sandbox name"):
        Sandbox.named(name)
