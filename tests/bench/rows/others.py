# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has no target, and is good to know."""

from __future__ import annotations

from bench.contest import of_kubectl, of_tasks, run_rounds
from bench.figures import Row, Series
from bench.ground import BenchFailedError, Ground
from bench.works import PING, SET_KIND, apply, bench_set, core, ours

NAMESPACE = "bench-others"
NAME = "set"
WHERE = {"name": NAME, "namespace": NAMESPACE}


def measure_start(ground: Ground, runs: int, row: Row) -> None:
    """The whole of ansible-playbook, with everything that is imported and built once in each."""
    file = str(_prepare(ground))
    tasks = {
        "vmirs": ours("vmirs", src=file),
        "kubernetes.core.k8s": core("k8s", src=file),
        "ansible.builtin.ping": PING,
        "ansible.builtin.debug": {"ansible.builtin.debug": {"msg": "pong"}},
    }
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(runs + 1):
        for name, task in tasks.items():
            run = ground.ansible().run_tasks(task)
            if not run.is_ok or run.changed:
                raise BenchFailedError(f"{name}: {run.stdout}{run.stderr}")
            if number:
                seconds[name].append(run.seconds)
    row.series = [Series(name, tuple(found)) for name, found in seconds.items()]
    row.notes = ["Of a play with one task all of them pay what `debug` pays; the rest is theirs."]
    ground.clear([NAMESPACE])


def measure_scale(ground: Ground, runs: int, row: Row) -> None:
    """To two replicas and back to one; the set is paused, so that no VMIs come and go meanwhile."""
    _prepare(ground)
    numbers = (2, 1)
    row.series = run_rounds(
        ground,
        [
            of_tasks("vmirs_scale", *(ours("vmirs_scale", **WHERE, replicas=number, wait=False) for number in numbers), changes=True),
            of_tasks(
                "kubernetes.core.k8s_scale",
                *(core("k8s_scale", **SET_KIND, **WHERE, replicas=number, wait=False) for number in numbers),
                changes=True,
                may_fail=True,
            ),
            of_kubectl(
                ground,
                "kubectl scale",
                *(["scale", f"vmirs/{NAME}", f"--replicas={number}", f"--namespace={NAMESPACE}"] for number in numbers),
                changes=True,
            ),
        ],
        runs,
    )
    row.notes = ["A run is two steps: up by one, and down again."]
    ground.clear([NAMESPACE])


def measure_info(ground: Ground, runs: int, row: Row) -> None:
    """What is known of one set; ours looks at its instances, revisions and autoscalers too."""
    _prepare(ground)
    row.series = run_rounds(
        ground,
        [
            of_tasks("vmirs_info", ours("vmirs_info", **WHERE)),
            of_tasks("kubernetes.core.k8s_info", core("k8s_info", **SET_KIND, **WHERE)),
            of_kubectl(ground, "kubectl get", ["get", f"vmirs/{NAME}", f"--namespace={NAMESPACE}", "--output=json"]),
        ],
        runs,
    )
    row.notes = ["`vmirs_info` also reads the VMIs, the revisions and the autoscalers, which the others leave to further calls."]
    ground.clear([NAMESPACE])


def _prepare(ground: Ground) -> str:
    """Create a set of one VMI, then pause it; returns the file that describes it."""
    ground.prepare([NAMESPACE])
    body = bench_set(NAME, NAMESPACE, 1)
    ground.run_kubectl(*apply(ground.write("other.yml", [body])))
    ground.await_ready([NAMESPACE], 1)
    body["spec"]["paused"] = True
    file = ground.write("other.yml", [body])
    ground.run_kubectl(*apply(file))
    return str(file)
