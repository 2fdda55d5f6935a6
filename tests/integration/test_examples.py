# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of the documentation run as they stand, in check mode and for real."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import yaml

from dev.paths import CHECKOUT
from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.fleet import write_fleet
from integration.support.manifests import autoscaler, hpa, replica_set, vmirs
from integration.support.seed import SEED_AUTOSCALER, SEED_SET, manifest
from integration.support.snippets import documented

MODULES = CHECKOUT / "plugins" / "modules"
SET = vmirs(src=SEED_SET.name, wait=True)
SCALER = hpa(src=SEED_AUTOSCALER.name, wait=True)
FLEET = vmirs(src="sets/")
# An autoscaler that leaves alone what boots, and keeps to its bounds.
AUTOSCALED = [
    vmirs(definition=replica_set("web", 3), wait=True),
    hpa(definition=autoscaler("web", "web", least=3, most=5, cpu=10000), wait=True),
]


def changed_template() -> Any:
    """Return a task that gives the set of the quick start another template, to which nothing is replaced yet."""
    definition = manifest(SEED_SET)
    definition["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"] = "65M"
    return vmirs(definition=definition, wait=True)


# What an example presupposes.
BEFORE: dict[str, list[Any]] = {
    "vmirs": [],
    "vmirs_info": [SET],
    "vmirs_scale": [SET, *AUTOSCALED],
    "vmirs_rollout": [SET, changed_template()],
    "hpa": [SET, FLEET],
    "hpa_info": [SET, SCALER],
    "hpa_verify": [SET, SCALER],
}
# How many of the examples change something.
CHANGES = {"vmirs_scale": 5, "vmirs_rollout": 4}


def test_every_module_has_its_prerequisites_here() -> None:
    assert set(BEFORE) == {path.stem for path in MODULES.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("module", BEFORE)
def test_the_examples_run(local_ansible: Ansible, api: Api, namespace: str, module: str) -> None:
    for path in (SEED_SET, SEED_AUTOSCALER):
        shutil.copy(path, local_ansible.directory)
    write_fleet(local_ansible.directory / "sets")
    # Nothing is changed in them but the namespace.
    tasks = yaml.safe_load(documented(MODULES / f"{module}.py", "EXAMPLES").replace("namespace: default", f"namespace: {namespace}"))
    twice = [each for task in tasks for each in ({**task, "name": f"{task['name']}, in check mode", "check_mode": True}, task)]
    done = local_ansible.run_tasks([*BEFORE[module], *twice], play={"module_defaults": {}} if not BEFORE[module] else None).require_ok()

    results = {result.name: result for result in done.tasks}
    for task in tasks:
        predicted, real = results[f"{task['name']}, in check mode"], results[task["name"]]
        assert predicted.is_changed == real.is_changed, task["name"]
    if module in CHANGES:
        assert sum(results[task["name"]].is_changed for task in tasks) == CHANGES[module]
    if module == "vmirs":
        assert [item["metadata"]["name"] for item in api.items("vmirs", namespace)] == ["testreplicaset"]
