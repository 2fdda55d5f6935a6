# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One object, or the two of the seed, with nothing to change."""

from __future__ import annotations

import sys

from bench.contest import Contestant, of_kubectl, of_tasks, run_unchanged
from bench.figures import Row, ratio, requests_at_most
from bench.ground import BenchFailedError, Ground
from bench.works import PING, SET_KIND, apply, core, ours, until
from dev.paths import TESTS
from integration.support.results import TaskResult
from integration.support.seed import SEED_AUTOSCALER, SEED_SET, manifest

NAMESPACE = "bench-seed"
NAME = manifest(SEED_SET)["metadata"]["name"]
REPLICAS = manifest(SEED_SET)["spec"]["replicas"]
AUTOSCALER = manifest(SEED_AUTOSCALER)["metadata"]["name"]
PREPARE_TIMEOUT = 180
# A task of some tenths of a second is as long as what a shared machine takes from it now and then: its median needs more runs.
MORE = 3

ENSURE = ours("vmirs", src=str(SEED_SET), namespace=NAMESPACE)
CORE_ENSURE = core("k8s", src=str(SEED_SET), namespace=NAMESPACE)


def measure_local(ground: Ground, runs: int, row: Row) -> None:
    """A task that finds nothing to change, beside the same of kubernetes.core, kubectl, and the floors."""
    prepare_seed(ground)
    contestants = [
        of_tasks("vmirs", ENSURE),
        of_tasks("kubernetes.core.k8s", CORE_ENSURE),
        of_tasks("ansible.builtin.ping", PING),
        of_kubectl(ground, "kubectl apply", apply(SEED_SET, NAMESPACE), changes=None),
        _bare_request(ground),
    ]
    mine, theirs, ping, *_ = row.series = run_unchanged(ground, contestants, MORE * runs, [NAMESPACE])
    row.verdicts = [
        requests_at_most(mine, 1),
        ratio("seconds over those of `kubernetes.core.k8s`", mine, theirs, 0.25),
        ratio("seconds over those of `ansible.builtin.ping`", mine, ping, 0.5),
    ]
    row.notes = [
        'kubectl says "configured" each time, since the seed has a null that it sends again and again; nothing is changed by that.'
    ]
    ground.clear([NAMESPACE])


def measure_module(ground: Ground, runs: int, row: Row) -> None:
    """The same where the task's interpreter is not ansible's own, so that all of them are module processes."""
    prepare_seed(ground)
    contestants = [of_tasks("vmirs", ENSURE), of_tasks("kubernetes.core.k8s", CORE_ENSURE), of_tasks("ansible.builtin.ping", PING)]
    mine, theirs, _ping = row.series = run_unchanged(ground, contestants, MORE * runs, [NAMESPACE], "remote")
    row.verdicts = [ratio("seconds over those of `kubernetes.core.k8s`", mine, theirs, 0.7)]
    ground.clear([NAMESPACE])


def measure_play(ground: Ground, runs: int, row: Row) -> None:
    """The four steps of the seed; tasks are timed, and not what lies between them."""
    prepare_seed(ground, is_autoscaled=True)
    mine, theirs = row.series = run_unchanged(ground, [_our_play(), _core_play()], MORE * runs, [NAMESPACE])
    row.verdicts = [requests_at_most(mine, 4), ratio("seconds over those of the kubernetes.core play", mine, theirs, 0.3)]
    ground.clear([NAMESPACE])


def _our_play() -> Contestant:
    return of_tasks(
        "vmirs, hpa, hpa_verify",
        ours("vmirs", src=str(SEED_SET), namespace=NAMESPACE, wait=True),
        ours("hpa", src=str(SEED_AUTOSCALER), namespace=NAMESPACE, wait=True),
        ours("hpa_verify", name=AUTOSCALER, namespace=NAMESPACE),
    )


def _core_play() -> Contestant:
    autoscaler = {"api_version": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": AUTOSCALER, "namespace": NAMESPACE}
    is_ready = f"found.resources[0].status.readyReplicas | default(0) == {REPLICAS}"
    scaling_active = "selectattr('type', 'eq', 'ScalingActive') | map(attribute='status') | first"
    acts = f"found.resources[0].status.conditions | default([]) | {scaling_active} == 'True'"
    return of_tasks(
        "kubernetes.core: k8s, k8s_info, k8s, k8s_info",
        CORE_ENSURE,
        until(core("k8s_info", **SET_KIND, name=NAME, namespace=NAMESPACE), is_ready),
        core("k8s", src=str(SEED_AUTOSCALER), namespace=NAMESPACE),
        until(core("k8s_info", **autoscaler), acts),
        # It says so where the autoscaler's status is renewed between its read and its write.
        changes=None,
    )


def prepare_seed(ground: Ground, *, is_autoscaled: bool = False) -> None:
    """Make the seed be there, ready and acknowledged."""
    ground.prepare([NAMESPACE])
    tasks = [ours("vmirs", src=str(SEED_SET), namespace=NAMESPACE, wait=True)]
    if is_autoscaled:
        waits = {"wait": True, "wait_timeout": PREPARE_TIMEOUT}
        tasks.append(ours("hpa", src=str(SEED_AUTOSCALER), namespace=NAMESPACE, **waits))
        tasks.append(ours("hpa_verify", name=AUTOSCALER, namespace=NAMESPACE, **waits))
    run = ground.ansible().run_tasks(tasks)
    if not run.is_ok:
        raise BenchFailedError(run.stdout)
    ground.await_ready([NAMESPACE], 1)


def _bare_request(ground: Ground) -> Contestant:
    path = ground.api.path("vmirs", NAMESPACE, NAME)
    argv = [sys.executable, "-m", "bench.floor", "get", str(ground.cluster.operator), path]
    task = {"ansible.builtin.command": {"argv": argv}, "environment": {"PYTHONPATH": str(TESTS)}, "changed_when": False}
    return Contestant("one GET through urllib3, connecting included", (task,), _printed_seconds)


def _printed_seconds(result: TaskResult) -> float:
    return float(result["stdout"])
