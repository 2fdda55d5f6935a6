# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the milliseconds of a task with nothing to change go: before it, in ansible, in the engine, on the network."""

from __future__ import annotations

import itertools
import json
import pstats
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.ground import Ground, tell
from bench.imports import Cost, Import, below_engine, costs_by_group, costs_of_engine, read_imports
from bench.memory import watched
from bench.rows.single import CORE_ENSURE, ENSURE, NAMESPACE, prepare_seed
from bench.tables import table
from bench.works import PING
from dev.paths import CHECKOUT
from dev.processes import say
from integration.support.ansible import Ansible, Task
from integration.support.results import TaskResult

TASKS: Mapping[str, Task] = {"vmirs": ENSURE, "ping": PING, "kubernetes.core.k8s": CORE_ENSURE}
# Of a profile and of the engine's modules, as many lines.
SHOWN = 15
MILLI = 1000.0


def profile_section(ground: Ground, runs: int, machine: Mapping[str, str]) -> str:
    """Return the section of the document."""
    say("\n== profile: where the milliseconds of `vmirs` with nothing to change go")
    prepare_seed(ground)
    parts = [
        f"Measured on {machine['date']} on the machine above, medians of {runs} runs, in milliseconds. "
        f"Load when it began: {machine['load when it began']}.",
        "### The task, from the hand-over to its worker to its result",
        _stretches(ground, runs),
        "### The action, by functions",
        _functions(ground, runs),
        "### Importing, in ansible's main process",
        _local_imports(ground, runs),
        "### Importing, in the process of the module",
        _module_imports(ground, runs),
    ]
    ground.clear([NAMESPACE])
    return "\n\n".join(parts)


def _stretches(ground: Ground, runs: int) -> str:
    """Run each task in a play of its own, watched from within the worker."""
    columns: dict[str, dict[str, float]] = {}
    for name, task in TASKS.items():
        path, environment = watched(ground.directory, "worker-stamps")
        listed = [{**task, "name": f"{name} {number}"} for number in range(runs + 1)]
        mark = ground.audit.mark()
        run = ground.ansible().run_tasks(listed, environment=environment).require_ok()
        seen = {line["name"]: line for line in map(json.loads, path.read_text(encoding="utf-8").splitlines())}
        taken = [_parts_of(result, seen[result.name]) for result in run.tasks[1:]]
        columns[name] = {part: median(each[part] for each in taken) * MILLI for part in taken[0]}
        server = [request.seconds for request in ground.audit.requests(mark)]
        columns[name]["the API server, by its audit log"] = sum(server) / (runs + 1) * MILLI
        tell(f"{name}: {sum(columns[name][part] for part in STRETCHES):.1f} ms")
    lines = [[part, *(f"{columns[name][part]:.1f}" for name in TASKS)] for part in next(iter(columns.values()))]
    totals = ["**all of the task**", *(f"**{sum(columns[name][part] for part in STRETCHES):.1f}**" for name in TASKS)]
    return table(("", *TASKS), [*lines[: len(STRETCHES)], totals, *lines[len(STRETCHES) :]])


STRETCHES = (
    "ansible: fork a worker",
    "ansible: variables, templates, connection and action plugin",
    "the action",
    "ansible: its result, in the worker",
    "ansible: its result, back in the main process",
)


def _parts_of(result: TaskResult, seen: Mapping[str, Any]) -> dict[str, float]:
    stamps, spans = seen["stamps"], seen["spans"]
    moments = [result.began_at, *(stamps[each] for each in ("task", "action", "action end", "end")), result.began_at + result.seconds]
    stretches = dict(zip(STRETCHES, (after - before for before, after in itertools.pairwise(moments)), strict=True))
    connect, request = spans.get("connect", 0.0), spans.get("request", 0.0)
    action = stretches["the action"]
    return {
        **stretches,
        "of the action: connect, TCP and TLS": connect,
        "of the action: send the request, wait, read the answer": request - connect,
        "of the action: everything else": action - request,
    }


def _functions(ground: Ground, runs: int) -> str:
    """Run the task under cProfile, within the worker, around the action plugin alone."""
    directory = ground.directory / "profiles"
    directory.mkdir(exist_ok=True)
    for old in directory.glob("*.pstats"):
        old.unlink()
    _path, environment = watched(ground.directory, "worker-profile")
    listed = [{**ENSURE, "name": f"vmirs {number}"} for number in range(runs)]
    ground.ansible().run_tasks(listed, environment={**environment, "BENCH_PROFILE_DIRECTORY": str(directory)}).require_ok()
    stats = pstats.Stats(*map(str, directory.glob("*.pstats")))
    whole = directory / "all.prof"
    stats.dump_stats(whole)
    tell(f"python -m pstats {whole}")
    entries: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = stats.stats  # type: ignore[attr-defined]
    ranked = sorted(entries.items(), key=lambda entry: -entry[1][3])
    lines = [
        [f"`{_where(*key)}`", f"{calls / runs:g}", f"{own / runs * MILLI:.2f}", f"{cumulative / runs * MILLI:.2f}"]
        for key, (_primitive, calls, own, cumulative, _callers) in ranked
        if _is_telling(key[0])
    ]
    return table(("function", "calls", "own", "with all that it calls"), lines[: SHOWN * 2])


def _is_telling(file: str) -> bool:
    return (
        "/vmscale/kubevirt/" in file
        or str(CHECKOUT) in file
        or any(f"/{name}/" in file for name in ("urllib3", "yaml", "kubernetes"))
        or file.endswith(("ssl.py", "arg_spec.py"))
    )


def _where(file: str, _line: int, function: str) -> str:
    return f"{Path(file).stem}.{function}"


def _local_imports(ground: Ground, runs: int) -> str:
    """What ansible imports for the action plugin, once a play."""
    found = []
    for _number in range(runs):
        run = ground.ansible().run_tasks(ENSURE, environment={"PYTHONPROFILEIMPORTTIME": "1"}).require_ok()
        found.append([*below_engine(read_imports(run.stderr))])
    return _import_tables(found)


def _module_imports(ground: Ground, runs: int) -> str:
    """What the process of the module imports, each time."""
    directory = ground.directory / "importing"
    directory.mkdir(exist_ok=True)
    log = directory / "imports.txt"
    wrapper = directory / "python-of-the-host"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -X importtime "$@" 2>"{log}"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    found: list[Sequence[Import]] = []
    for _number in range(runs):
        Ansible(directory, ground.cluster.operator, "remote").run_tasks(ENSURE).require_ok()
        found.append(read_imports(log.read_text(encoding="utf-8")))
    return _import_tables(found)


def _import_tables(found: Sequence[Sequence[Import]]) -> str:
    groups = costs_by_group(found)
    engine = costs_of_engine(found)
    total = Cost(sum(each.modules for each in groups.values()), sum(each.milliseconds for each in groups.values()))
    lines = [[name, str(each.modules), f"{each.milliseconds:.1f}"] for name, each in [*groups.items(), ("**all**", total)]]
    tell(f"importing: {total.milliseconds:.1f} ms, {total.modules} modules")
    dearest = ", ".join(f"`{name}` {milliseconds:.1f}" for name, milliseconds in [*engine.items()][:SHOWN])
    return f"{table(('', 'modules', 'milliseconds'), lines)}\n\nThe dearest modules of the collection, less what they import: {dearest}."
