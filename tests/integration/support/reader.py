# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does what a reader of the documentation does: saves files, runs plays and commands, one after the other, in one namespace."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from dev.paths import CHECKOUT, TESTS
from dev.sandbox import Sandbox
from integration.support.ansible import Ansible, Task
from integration.support.cluster import Cluster
from integration.support.fleet import write_fleet
from integration.support.results import TaskResult
from integration.support.seed import SEED_AUTOSCALER, SEED_SET
from integration.support.snippets import Snippet

# The namespaces that the documentation names, wherever it says one.
NAMESPACE = re.compile(r"\b(\w*namespace: )(?:web|default)$", re.MULTILINE)
SHELL_NAMESPACE = re.compile(r"( -n )web\b")
KUBECTL = """#!/bin/sh
HOME="{home}" PYTHONPATH="{tests}" exec "{python}" -m sandbox --name "{sandbox}" kubectl -- --kubeconfig "{kubeconfig}" "$@"
"""


@dataclass
class Reader:
    """Runs what it reads. Plays and tasks that follow one another become one playbook, for the sake of time."""

    ansible: Ansible
    cluster: Cluster
    sandbox: Sandbox
    namespace: str
    directory: Path
    plays: list[dict[str, Any]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    done: list[TaskResult] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in (SEED_SET, SEED_AUTOSCALER):
            shutil.copy(path, self.directory)
        (self.directory / "playbooks").symlink_to(CHECKOUT / "playbooks")
        write_fleet(self.directory / "sets")
        self.kubeconfig = self._kubeconfig(self.cluster.operator, self.directory / ".kube" / "config")
        self.admin = self._kubeconfig(self.cluster.admin, self.directory / ".kube" / "admin")
        self.ansible = replace(self.ansible, kubeconfig=self.kubeconfig, namespace=None)

    def read(self, snippet: Snippet, before: Sequence[Task], *, is_admin: bool) -> None:
        """Do what a snippet says, after some tasks of our own."""
        if snippet.file is not None:
            (self.directory / snippet.file).write_text(NAMESPACE.sub(rf"\g<1>{self.namespace}", snippet.text), encoding="utf-8")
            return
        if before:
            self._add_play({"name": f"Before {snippet.name}", "tasks": list(before)})
        if snippet.language == "console":
            self._run_plays()
            self._provide_kubectl(self.admin if is_admin else self.kubeconfig)
            self._run_commands(snippet)
            return
        for play in self._plays_of(snippet):
            self._add_play({**play, "environment": {"K8S_AUTH_KUBECONFIG": str(self.admin)}} if is_admin else play)

    def finish(self) -> list[TaskResult]:
        """Run what is left, and return what has become of all tasks, but for those of commands."""
        self._run_plays()
        return self.done

    def _plays_of(self, snippet: Snippet) -> list[dict[str, Any]]:
        """Return a snippet as plays: tasks are given one, and manifests, or the rules of a role, a task that writes them."""
        content = yaml.safe_load(NAMESPACE.sub(rf"\g<1>{self.namespace}", snippet.text))
        if snippet.is_play:
            return list(content)
        if isinstance(content, list):
            return [{"name": snippet.name, "tasks": content}]
        if not snippet.is_manifest:
            content = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "of-the-snippet"}, **content}
        write: Task = {"name": "Write", "kubernetes.core.k8s": {"namespace": self.namespace, "definition": content}}
        return [{"name": snippet.name, "tasks": [write]}]

    def _add_play(self, play: dict[str, Any]) -> None:
        self.plays.append({"hosts": "localhost", "gather_facts": False, **copy.deepcopy(play)})

    def _run_plays(self) -> None:
        if not self.plays:
            return
        path = self.directory / f"reading-{len(self.done)}.yml"
        path.write_text(yaml.safe_dump(self.plays, sort_keys=False), encoding="utf-8")
        self.plays = []
        self.done += self.ansible.run(path).require_ok().tasks

    def _run_commands(self, snippet: Snippet) -> None:
        """Run the commands of a snippet in a shell, but for those that ran before."""
        commands = [command for command in snippet.text.splitlines() if command not in self.commands]
        self.commands += commands
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", SHELL_NAMESPACE.sub(rf"\g<1>{self.namespace}", "\n".join(commands))],
            env=self._environment(),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"{snippet.name} ended with {done.returncode}:\n{done.stdout}")
        self.outputs[snippet.name] = done.stdout

    def _environment(self) -> dict[str, str]:
        programs = os.pathsep.join((str(self.directory / "bin"), str(Path(sys.executable).parent)))
        return {
            **self.ansible.command("").environment,
            "HOME": str(self.directory),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        }

    def _provide_kubectl(self, kubeconfig: Path) -> None:
        program = self.directory / "bin" / "kubectl"
        program.parent.mkdir(exist_ok=True)
        names = {"home": Path.home(), "tests": TESTS, "python": sys.executable, "sandbox": self.sandbox.name}
        program.write_text(KUBECTL.format(kubeconfig=kubeconfig, **names), encoding="utf-8")
        program.chmod(0o755)

    def _kubeconfig(self, source: Path, path: Path) -> Path:
        """Write a kubeconfig whose context has the namespace, so that what names none is there."""
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
        for context in content["contexts"]:
            context["context"]["namespace"] = self.namespace
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path
