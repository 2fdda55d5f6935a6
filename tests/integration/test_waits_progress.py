# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress lines, as AWX gets them: ansible-runner's events."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.support.awx_job import Awx
from integration.support.cluster import Cluster
from integration.support.manifests import replica_set, vmirs

NAME = "web"
SLOW = {"sandbox.vmscale.kubevirt/boot-seconds": "3", "sandbox.vmscale.kubevirt/boot-jitter-seconds": "0"}
LINE = re.compile(rf"^{NAME}: \d/2 ready.*\(\d+ s\)$")


def run_job(directory: Path, cluster: Cluster, namespace: str, check: bool = False, **options: Any) -> list[dict[str, Any]]:
    """Run a task as AWX runs a job, and return its events in order."""
    task = vmirs(definition=replica_set(NAME, 2, annotations=SLOW), namespace=namespace, wait=True, wait_timeout=120, **options)
    play = {"name": "Job", "hosts": "localhost", "gather_facts": False, "tasks": [task]}
    project = directory / "project"
    project.mkdir()
    (project / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    awx = Awx(directory, lambda _directory: {"K8S_AUTH_KUBECONFIG": str(cluster.operator)}, project=project)
    return awx.run("play.yml", check=check).require("successful").events


def lines_of(events: list[dict[str, Any]]) -> list[str]:
    """Return the progress lines among the events, each of which has one of its own."""
    return [line for event in events if event["event"] == "verbose" for line in event["stdout"].splitlines() if LINE.match(line)]


def test_each_line_is_an_event_while_the_task_runs(tmp_path: Path, cluster: Cluster, namespace: str) -> None:
    events = run_job(tmp_path, cluster, namespace)
    lines = lines_of(events)
    print("\n" + "\n".join(f"{event['counter']:>3} {event['event']:<24} {event['stdout'].strip()[:120]}" for event in events))

    assert len(lines) >= 3
    assert len(lines) == len(set(lines))
    assert lines[-1].startswith(f"{NAME}: 2/2 ready (")
    assert "; slowest: " in lines[0] or "; slowest: " in lines[1]
    kinds = [event["event"] for event in events]
    first = next(number for number, event in enumerate(events) if LINE.match(event["stdout"]))
    assert kinds.index("runner_on_start") < first < kinds.index("runner_on_ok")


@pytest.mark.parametrize("options", [{"check": True}, {"quiet": True}], ids=["check mode", "quiet"])
def test_nobody_is_told_what_nobody_waits_for(tmp_path: Path, cluster: Cluster, namespace: str, options: dict[str, Any]) -> None:
    assert lines_of(run_job(tmp_path, cluster, namespace, **options)) == []
