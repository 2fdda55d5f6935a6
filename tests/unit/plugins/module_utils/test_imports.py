# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that finds everything as it should be imports what it uses, and nothing else: imports are most of what such a task costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

import pytest

from dev.paths import collection_tree
from unit.support.cluster import INSTANCES, POD_METRICS, SCALERS, SETS, Cluster
from unit.support.objects import instances
from unit.support.recorded import Object, real_autoscaler, real_set

# A module without ansible around it: what it imports, and what its operation does to a cluster.
PROGRAM = """
import importlib, json, sys
module, operation, params = json.loads(sys.argv[1])
plugins = "ansible_collections.vmscale.kubevirt.plugins"
program = importlib.import_module(f"{plugins}.modules.{module}")
from ansible_collections.vmscale.kubevirt.plugins.module_utils import _arguments, _task
defaults = {name: option.get("default") for name, option in _arguments.MODULES[module].argument_spec.items()}
outcome = _arguments.run(getattr(program, operation), _task.Task({**defaults, **params}, {}))
print(json.dumps([outcome.result, sorted(sys.modules)]))
"""
OWN = "ansible_collections.vmscale.kubevirt.plugins.module_utils."

# What no task with nothing to do has any use for. A package stands for all that is in it.
NEVER = {"kubernetes", "difflib", "concurrent", "fractions", "_history", "_revisions", "_rollout", "_vmirs_rollout", "_scale", "_fleet_run"}
NEVER |= {"_watch", "_diagnosis", "_diagnosis_reasons", "_diagnosis_replica_set", "_diagnosis_autoscaler", "_fleet_wait", "_wait_rollout"}
WAITING = {"_wait", "_wait_replica_set", "_wait_autoscaler", "_situation", "_timeline"}
DESCRIBING = {"_describe", "_hpa_info"}

SET: Object = {key: value for key, value in real_set("idle").items() if key != "status"}
SCALER: Object = {key: value for key, value in real_autoscaler("idle").items() if key != "status"}
TASKS: dict[str, tuple[str, str, dict[str, t.Any], set[str]]] = {
    "vmirs": ("vmirs", "ensure_replica_set", {"definition": SET}, NEVER | WAITING | DESCRIBING | {"_autoscaler"}),
    "vmirs, waiting": ("vmirs", "ensure_replica_set", {"definition": SET, "wait": True}, NEVER | DESCRIBING | {"_autoscaler"}),
    "vmirs, by options": (
        "vmirs",
        "ensure_replica_set",
        {"name": "testreplicaset", "replicas": 3},
        NEVER | WAITING | DESCRIBING | {"yaml"},
    ),
    "hpa": ("hpa", "ensure_autoscaler", {"definition": SCALER}, NEVER | WAITING | DESCRIBING | {"_vmirs_jobs"}),
    "hpa, waiting": ("hpa", "ensure_autoscaler", {"definition": SCALER, "wait": True}, NEVER | DESCRIBING | {"_wait_replica_set"}),
    "hpa_verify": ("hpa_verify", "verify_autoscaler", {"name": "test-hpa"}, NEVER - {"fractions"} | {"_ensure", "_plan"}),
}


@pytest.fixture
def cluster() -> Cluster:
    """A cluster in which the seed runs and idles."""
    found = Cluster()
    found.put(SETS, real_set("idle"))
    found.put(SCALERS, real_autoscaler("idle"))
    found.lists[INSTANCES] = list(instances(3, owner=real_set("idle")["metadata"]["uid"]))
    found.lists[POD_METRICS] = [{"metadata": {"name": "pod0"}}]
    return found


def imported(name: str) -> set[str]:
    """Return what a name of `sys.modules` counts as: the package, or one of our files."""
    return {name.partition(".")[0], *([name.removeprefix(OWN)] if name.startswith(OWN) else [])}


@pytest.mark.parametrize("name", TASKS)
def test_nothing_is_imported_that_is_not_used(cluster: Cluster, name: str) -> None:
    module, operation, params, unwanted = TASKS[name]
    with cluster.listening() as address:
        asked = json.dumps([module, operation, {"host": address, "api_key": "t", "namespace": "default", **params}])
        environment = {**os.environ, "PYTHONPATH": str(collection_tree())}
        done = subprocess.run([sys.executable, "-c", PROGRAM, asked], env=environment, capture_output=True, text=True, check=True)
    result, modules = json.loads(done.stdout)

    assert not result.get("failed"), result["msg"]
    assert result["changed"] is False
    found = set().union(*map(imported, modules))
    assert found & unwanted == set()
    # It has been looked at the right names.
    assert f"_{module}" in found


def test_what_must_not_be_imported_exists() -> None:
    ours = {path.stem for path in (collection_tree() / "ansible_collections/vmscale/kubevirt/plugins/module_utils").glob("_*.py")}
    unwanted = set().union(*(unwanted for *_task, unwanted in TASKS.values()))
    assert {name for name in unwanted if name.startswith("_")} <= ours
