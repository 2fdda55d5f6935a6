# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much memory a task takes at its peak: as a module its process, in the local shell what it adds to ansible's worker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bench.contest import PLAY_TIMEOUT
from bench.ground import BenchFailedError, Ground
from integration.support.ansible import CALLBACKS, Shell, Task

HERE = Path(__file__).parent
PROCESS = HERE / "process"
WATCHERS = HERE / "callback"


@dataclass(frozen=True)
class Peak:
    """What was seen, or why there was nothing to see."""

    mib: float = 0.0
    cannot: str = ""


def watched(directory: Path, name: str) -> tuple[Path, dict[str, str]]:
    """Return a file for what is seen in ansible's worker, and the variables that make it be seen."""
    path = directory / f"{name}.jsonl"
    path.unlink(missing_ok=True)
    return path, {
        "ANSIBLE_CALLBACK_PLUGINS": f"{CALLBACKS}:{WATCHERS}",
        "ANSIBLE_CALLBACKS_ENABLED": "record_results,watch_worker",
        "BENCH_WORKER_FILE": str(path),
    }


def peak_mib(ground: Ground, shell: Shell, task: Task) -> Peak:
    """Run a task once, watched."""
    seen = ground.directory / "module-memory.jsonl"
    seen.unlink(missing_ok=True)
    if shell == "remote":
        environment = {"PYTHONPATH": str(PROCESS), "BENCH_MODULE_FILE": str(seen)}
    else:
        seen, environment = watched(ground.directory, "worker-memory")
    run = ground.ansible(shell).run_tasks(task, environment=environment, timeout=PLAY_TIMEOUT)
    if not run.is_ok:
        return Peak(cannot=(run.failed[-1].message if run.failed else run.stderr)[:200])
    lines = [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()]
    if len(lines) != 1:
        raise BenchFailedError(f"{len(lines)} processes were watched, not one: {lines}")
    kib = lines[0]["peak_kib"] - (0 if shell == "remote" else lines[0]["first_kib"])
    return Peak(kib / 1024)
