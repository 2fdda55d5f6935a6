# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The description is what kubectl prints, line by line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff

from dev.sandbox import Sandbox
from integration.support.ansible import Ansible
from integration.support.api import Api, Object, eventually
from integration.support.manifests import autoscaler, await_counts, replica_set
from integration.support.sandbox import run_sandbox

NAME, TARGET = "web-scaler", "web"
ROUNDS = 4
SLOWLY = {"scaleDown": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}]}}


@contextmanager
def kubectl_descriptions(sandbox: Sandbox, namespace: str) -> Iterator[set[str]]:
    """Let kubectl describe the autoscaler again and again; yields the set of what it printed."""
    command = ("kubectl", "--", "describe", "horizontalpodautoscaler", NAME, "--namespace", namespace)
    seen: set[str] = set()
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            seen.add(run_sandbox(sandbox, *command))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()


def describe(ansible: Ansible, style: str = "current") -> str:
    task = {"vmscale.kubevirt.hpa_info": {"name": NAME, "describe": style}}
    return str(ansible.run_tasks(task).require_ok().last["description"])


def require_same(ansible: Ansible, sandbox: Sandbox, namespace: str) -> str:
    """Check that our text is, to the letter, one that kubectl printed about then; ages change every second, so there are some tries."""
    for _ in range(ROUNDS):
        with kubectl_descriptions(sandbox, namespace) as theirs:
            ours = describe(ansible)
        if ours in theirs:
            return ours
    closest = min(
        (list(unified_diff(text.splitlines(), ours.splitlines(), "kubectl", "ours", lineterm="", n=0)) for text in theirs), key=len
    )
    raise AssertionError("\n".join(closest))


def condition(live: Object, kind: str) -> str:
    found = [each["reason"] for each in live.get("status", {}).get("conditions", []) if each["type"] == kind]
    return str(found[0]) if found else ""


def test_the_description_is_that_of_kubectl(local_ansible: Ansible, sandbox: Sandbox, api: Api, namespace: str) -> None:
    api.create("vmirs", namespace, replica_set(TARGET, 1))
    wanted = autoscaler(NAME, TARGET, 1, 3)
    wanted["metadata"] |= {"labels": {"tier": "web", "app": "web"}, "annotations": {"note": "two\nlines", "long": "x" * 200}}
    api.create("hpas", namespace, wanted)
    assert "Metrics:                                               ( current / target )" in require_same(local_ansible, sandbox, namespace)

    await_counts(api, namespace, TARGET, 1)
    eventually("metrics", lambda: api.get("hpas", namespace, NAME), lambda live: condition(live, "ScalingActive") == "ValidMetricFound", 60)
    assert "VirtualMachineInstanceReplicaSet pods:                 1 current / 1 desired" in require_same(local_ansible, sandbox, namespace)

    sandbox.load(TARGET, namespace, 90)
    await_counts(api, namespace, TARGET, 2, 90)
    loaded = require_same(local_ansible, sandbox, namespace)
    assert "SuccessfulRescale" in loaded
    sandbox.unload(TARGET, namespace)

    metric = {"name": "cpu", "container": "none", "target": {"type": "Utilization", "averageUtilization": 50}}
    api.merge(
        "hpas", namespace, NAME, {"spec": {"behavior": SLOWLY, "metrics": [{"type": "ContainerResource", "containerResource": metric}]}}
    )
    eventually(
        "the metrics to fail",
        lambda: api.get("hpas", namespace, NAME),
        lambda live: condition(live, "ScalingActive") == "FailedGetContainerResourceMetric",
        30,
    )
    failing = require_same(local_ansible, sandbox, namespace)
    assert "FailedGetContainerResourceMetric" in failing
    assert "<unknown> / 50%" in failing


def test_the_legacy_format_has_the_lines_of_old(local_ansible: Ansible, api: Api, namespace: str) -> None:
    api.create("vmirs", namespace, replica_set(TARGET, 1))
    api.create("hpas", namespace, autoscaler(NAME, TARGET, 1, 3))
    eventually("metrics", lambda: api.get("hpas", namespace, NAME), lambda live: condition(live, "ScalingActive") == "ValidMetricFound", 90)
    lines = dict(line.split(":", 1) for line in describe(local_ansible, "legacy").splitlines() if ":" in line and not line.startswith(" "))

    assert lines["Name"].strip() == NAME
    assert lines["Target CPU utilization"].strip() == "50%"
    assert lines["Current CPU utilization"].strip().rstrip("%").isdigit()
    assert lines["VirtualMachineInstanceReplicaSet pods"].strip() == "1 current / 1 desired"


def test_no_autoscaler_no_description(ansible: Ansible) -> None:
    done = ansible.run_tasks({"vmscale.kubevirt.hpa_info": {"name": "none"}}).require_ok()

    assert not done.last["exists"]
    assert done.last["description"] == ""
    assert done.last["autoscalers"] == []
