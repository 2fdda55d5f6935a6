# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs tasks and playbooks the way a user does: with ansible-playbook, in a process of its own."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from dev.paths import collection_tree
from integration.support.results import Run, read_results

Shell = Literal["local", "remote"]
Task = Mapping[str, Any]
CALLBACKS = Path(__file__).parent / "callback"
NUMBERS = itertools.count()


def interpreter_wrapper(directory: Path) -> Path:
    """Return an interpreter whose path is not that of ansible's own, which makes a task leave ansible's worker."""
    wrapper = directory / "python-of-the-host"
    if not wrapper.exists():
        wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        wrapper.chmod(0o755)
    return wrapper


@dataclass(frozen=True)
class Command:
    """A command line with its environment, and the file that the results of its tasks go to."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    results: Path


@dataclass
class Ansible:
    """Runs ansible-playbook against one cluster, through one of the two shells of the modules."""

    directory: Path
    kubeconfig: Path | None
    shell: Shell = "local"
    namespace: str | None = None

    def run_tasks(
        self,
        tasks: Sequence[Task] | Task,
        *,
        module_defaults: Mapping[str, Any] | None = None,
        play: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Run:
        """Run tasks in a play on localhost; options are those of `run`."""
        return self.run(self.play(tasks, module_defaults, play), **options)

    def play(
        self, tasks: Sequence[Task] | Task, module_defaults: Mapping[str, Any] | None = None, play: Mapping[str, Any] | None = None
    ) -> Path:
        """Write a playbook with tasks on localhost."""
        listed = [tasks] if isinstance(tasks, Mapping) else list(tasks)
        defaults = dict(module_defaults or {})
        if self.namespace is not None:
            defaults.setdefault("group/vmscale.kubevirt.vmirs", {"namespace": self.namespace})
        content = {
            "name": "Test",
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": defaults,
            **(play or {}),
            "tasks": listed,
        }
        path = self.directory / f"play-{next(NUMBERS)}.yml"
        path.write_text(yaml.safe_dump([content], sort_keys=False), encoding="utf-8")
        return path

    def run(self, playbook: Path | str, *, timeout: float = 300, cwd: Path | None = None, **options: Any) -> Run:
        """Run a playbook: a path, or the full name of one of the collection's own; options are those of `command`."""
        command = self.command(playbook, **options)
        started = time.monotonic()
        done = subprocess.run(
            command.arguments,
            env=command.environment,
            cwd=cwd or self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        seconds = time.monotonic() - started
        return Run(command.arguments, done.returncode, done.stdout, done.stderr, seconds, read_results(command.results))

    def command(
        self,
        playbook: Path | str,
        *,
        check: bool = False,
        diff: bool = False,
        verbosity: int = 0,
        variables: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> Command:
        """Return the command line that runs a playbook, for whoever runs it."""
        number = next(NUMBERS)
        results = self.directory / f"results-{number}.jsonl"
        results.unlink(missing_ok=True)
        command = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "--inventory",
            str(self._inventory()),
            *(["--check"] if check else []),
            *(["--diff"] if diff else []),
            *([f"-{'v' * verbosity}"] if verbosity else []),
            *arguments,
        ]
        if variables:
            path = self.directory / f"variables-{number}.json"
            path.write_text(json.dumps(dict(variables)), encoding="utf-8")
            command += ["--extra-vars", f"@{path}"]
        command.append(str(playbook))
        return Command(tuple(command), self._environment(results, environment), results)

    def _inventory(self) -> Path:
        """Return an inventory with localhost as AWX has it, its interpreter chosen by the shell."""
        remote = self.shell == "remote"
        interpreter = str(interpreter_wrapper(self.directory)) if remote else "{{ ansible_playbook_python }}"
        host = {"ansible_connection": "local", "ansible_python_interpreter": interpreter}
        path = self.directory / f"inventory-{self.shell}.yml"
        path.write_text(yaml.safe_dump({"all": {"hosts": {"localhost": host}}}), encoding="utf-8")
        return path

    def _environment(self, results: Path, extra: Mapping[str, str] | None) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("K8S_AUTH_", "ANSIBLE_"))}
        kept.pop("KUBECONFIG", None)
        return {
            **kept,
            "ANSIBLE_COLLECTIONS_PATH": str(collection_tree()),
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "record_results",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_INJECT_INVOCATION": "true",
            "TEST_RESULTS_FILE": str(results),
            **({"K8S_AUTH_KUBECONFIG": str(self.kubeconfig)} if self.kubeconfig else {}),
            **(extra or {}),
        }
