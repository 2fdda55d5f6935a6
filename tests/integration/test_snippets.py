# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every code block of the README, the guides and the pages of docs/ runs as it stands, or says below why it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev.sandbox import Sandbox
from integration.support.ansible import Ansible, Task
from integration.support.cluster import Cluster
from integration.support.manifests import autoscaler, hpa, replica_set, vmirs
from integration.support.reader import Reader
from integration.support.seed import SEED_AUTOSCALER, SEED_SET, manifest
from integration.support.snippets import Snippet, documentation, fences, snippets

NOT_RUN = {
    "CONTRIBUTING.md: What you need": "runs the tests, this one among them",
    "README.md: See it": "runs the demo, which takes minutes, and the tests, this one among them",
    "README.md: Installation": "installs from Galaxy",
    "README.md: Installation 2": "installs from Galaxy",
    "docs/awx.md: Three ways in": "needs variables, with which test_playbooks runs it",
    "docs/awx.md: Job templates as code": "needs AWX, and installs from Galaxy; test_controller runs the playbook",
    "docs/docsite/rst/guide_getting_started.rst: Install the collection": "installs from Galaxy",
    "docs/docsite/rst/guide_getting_started.rst: Without a cluster": "runs the demo, which takes minutes, and brings up a sandbox",
    "docs/fleets.md: What comes back": "shows a part of a result",
    "docs/performance.md: Performance": "measures, which takes many minutes",
    "docs/rollouts.md: Revisions": "shows a part of a result",
    "docs/waiting.md: The timeline": "shows a part of a result",
    "playbooks/controller.yml: example": "needs AWX; test_controller runs it against what answers as AWX does",
    "roles/kubevirt/README.md: vmscale.kubevirt.kubevirt": "installs KubeVirt, which test_role_kubevirt does on a cluster without it",
    "tests/integration/README.md: Integration tests": "runs these tests on a kind cluster",
    "tests/kind/README.md: The kind cluster": "brings up a kind cluster, as make test-kind does",
    "tests/sandbox/README.md: The sandbox": "ends the sandbox; integration/sandbox runs each of these commands",
}

# The manifest that other pages of the guides name without showing it.
WEB_YAML = "docs/docsite/rst/guide_getting_started.rst: Describe the machines"

# Which pages are read one after the other, in one namespace.
PLAYBOOKS = tuple(f"playbooks/{name}.yml" for name in ("ensure", "verify", "scale", "rollout", "remove"))
JOURNEYS = {
    "readme": ("docs/docsite/index.rst", "README.md", *PLAYBOOKS),
    "getting-started": ("docs/docsite/rst/guide_getting_started.rst",),
    "autoscaling": ("docs/docsite/rst/guide_autoscaling.rst",),
    "coming-from": ("docs/docsite/rst/guide_coming_from.rst",),
    "awx": ("docs/awx.md",),
    "waiting": ("docs/waiting.md", "docs/docsite/rst/guide_troubleshooting.rst"),
    "fleets": ("docs/fleets.md",),
    "rollouts": ("docs/rollouts.md",),
    "scaling": ("docs/scaling.md", *(f"roles/{role}/README.md" for role in ("vmirs", "scale", "rollout", "hpa", "verify"))),
}

SEED = vmirs(src=SEED_SET.name, wait=True)
WEB = vmirs(src="web.yaml", wait=True)
NO_AUTOSCALER = hpa(src=SEED_AUTOSCALER.name, state="absent", wait=True)


def changed_template(memory: str) -> Task:
    """Return a task that gives the set of the quick start another template, to which nothing is replaced yet."""
    definition = manifest(SEED_SET)
    definition["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"] = memory
    return vmirs(definition=definition, wait=True)


# What a snippet presupposes, beyond what the page has done before it.
BEFORE: dict[str, list[Task]] = {
    "README.md: Scaling": [NO_AUTOSCALER, vmirs(name="testreplicaset", replicas=5, wait=True)],
    "README.md: Rollouts": [changed_template("65M")],
    "playbooks/scale.yml: example": [NO_AUTOSCALER],
    "playbooks/rollout.yml: example": [changed_template("66M")],
    "docs/docsite/rst/guide_autoscaling.rst: What a percentage means 2": [WEB],
    "docs/docsite/rst/guide_troubleshooting.rst: Look without changing anything": [
        hpa(definition=autoscaler("web", "web", least=3, most=5, cpu=10000), wait=True)
    ],
    "docs/rollouts.md: Rollouts": [vmirs(definition=replica_set("web", 3), wait=True)],
    "docs/rollouts.md: When a batch does not come up": [SEED, changed_template("65M")],
    "docs/scaling.md: Scaling": [SEED, vmirs(name="testreplicaset", replicas=5, wait=True)],
    "docs/scaling.md: Who goes": [{"name": "Look", "vmscale.kubevirt.vmirs_info": {"name": "testreplicaset"}, "register": "found"}],
    "roles/rollout/README.md: vmscale.kubevirt.rollout": [changed_template("65M")],
}
# What no right of the collection's own user allows: other kinds of objects.
NEEDS_ADMIN = {
    "docs/awx.md: Rights",
    "docs/docsite/rst/guide_coming_from.rst: From kubernetes.core 2",
    "docs/rollouts.md: PodDisruptionBudgets",
    "docs/scaling.md: Rights",
}

# Tasks that would do nothing if what they are about were not there.
CHANGING = {
    "readme": {
        "Scale in to three, and let those go first that are not ready",
        "Bring every VM to the present template, three at a time",
    },
    "autoscaling": {"Keep the VMs at 70 % of their vCPU", "Keep the VMs at 700 millicores of their vCPU", "Scale with patience"},
    "fleets": {
        "Ensure every set that the directory describes",
        "Ensure the autoscalers that the same files describe",
    },
    "rollouts": {
        "Give the set another template",
        "Bring every VMI to it, three at a time",
        "Bring every VMI to the present template",
        "Restart once for the new guest image, however often this play runs",
    },
    "scaling": {
        "Scale in to three, and let the newest go",
        "Scale the set",
        "Roll out the template of the set",
        "Ensure the autoscaler",
    },
}
# What commands show.
SAYS = {
    "docs/awx.md: Rights": "serviceaccount/vmscale-ensure created",
    "README.md: Quick start": "VirtualMachineInstanceReplicaSet pods:                 3 current / 3 desired",
    "docs/docsite/rst/guide_getting_started.rst: Run it again": "changed=0",
    "docs/fleets.md: Roles and playbooks": '"failed": 0',
    "docs/docsite/rst/guide_getting_started.rst: Without writing plays": "changed=2",
    "docs/docsite/rst/guide_coming_from.rst: From kubectl": "horizontalpodautoscaler.autoscaling/web autoscaled",
    "docs/docsite/rst/guide_coming_from.rst: From kubectl 2": "changed=0",
}


def all_snippets() -> dict[str, Snippet]:
    return {snippet.name: snippet for path in documentation() for snippet in snippets(path)}


def test_every_snippet_is_run_or_says_why_not() -> None:
    found = all_snippets()
    run = {name for name, snippet in found.items() if any(snippet.page in pages for pages in JOURNEYS.values())} - set(NOT_RUN)

    assert set(found) == run | set(NOT_RUN)
    assert set(BEFORE) | NEEDS_ADMIN <= run


@pytest.mark.parametrize("path", [path for path in documentation() if path.suffix == ".md"], ids=lambda path: str(path.name))
def test_no_fence_is_overlooked(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()

    assert 2 * fences(path) == sum(line.lstrip().startswith("```") for line in lines)


@pytest.mark.parametrize("journey", JOURNEYS)
def test_the_snippets_run(
    make_ansible: Callable[..., Ansible], cluster: Cluster, sandbox: Sandbox, namespace: str, tmp_path: Path, journey: str
) -> None:
    found = all_snippets()
    read = [snippet for page in JOURNEYS[journey] for snippet in found.values() if snippet.page == page and snippet.name not in NOT_RUN]
    reader = Reader(make_ansible(kubeconfig=None), cluster, sandbox, namespace, tmp_path)
    for snippet in (found[WEB_YAML], *read):
        reader.read(snippet, BEFORE.get(snippet.name, []), is_admin=snippet.name in NEEDS_ADMIN)
    done = [result for result in reader.finish() if result.status == "ok"]

    tasks: set[Any] = {task["name"] for snippet in read for task in snippet.tasks}
    assert tasks <= {result.name for result in done}
    assert CHANGING.get(journey, set()) <= {result.name.rpartition(" : ")[2] for result in done if result.is_changed}
    for snippet in read:
        assert SAYS.get(snippet.name, "") in reader.outputs.get(snippet.name, "")
