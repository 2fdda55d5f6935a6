# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: ansible-runner with a private data directory that is laid out as AWX lays it out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from dev.paths import CHECKOUT, collection_tree
from integration.support.awx_credential import Injector
from integration.support.kill import kill_marked, marked

PROGRAMS = Path(sys.executable).parent
PREFIXES = ("awx", "tower")
# How long a job that is being ended may take to be gone.
GRACE_SECONDS = 30
# How long its processes may take to notice that it is.
LINGER_SECONDS = 1


class UnsafeDumper(yaml.SafeDumper):
    """Marks every text as one that Ansible is not to template, as AWX does with whatever somebody typed in."""


UnsafeDumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


@dataclass(frozen=True)
class Job:
    """A job that has ended, and all that it left behind."""

    directory: Path
    ident: str
    seconds: float
    left: set[int]
    """The processes that outlived it, and ended with its container."""

    @property
    def artifacts_directory(self) -> Path:
        return self.directory / "artifacts" / self.ident

    @property
    def status(self) -> str:
        """`successful`, `failed`, `canceled` or `timeout`."""
        return (self.artifacts_directory / "status").read_text(encoding="utf-8")

    @cached_property
    def stdout(self) -> str:
        return (self.artifacts_directory / "stdout").read_text(encoding="utf-8")

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """The events in their order."""
        files = (self.artifacts_directory / "job_events").glob("*.json")
        return sorted((json.loads(file.read_text(encoding="utf-8")) for file in files), key=lambda event: int(event["counter"]))

    @property
    def artifacts(self) -> dict[str, Any]:
        """What AWX keeps of `set_stats`, and hands on to the next nodes of a workflow."""
        found: dict[str, Any] = {}
        for event in self.events:
            found.update(event.get("event_data", {}).get("artifact_data", {}))
        return found

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """The results of the tasks that were run, by the name of their module without its collection."""
        return {
            event["event_data"]["task_action"].rpartition(".")[2]: event["event_data"]["res"]
            for event in self.events
            if event["event"] in ("runner_on_ok", "runner_on_failed")
        }

    def places_of(self, secret: str) -> list[str]:
        """Return the files of all that the job wrote in which a secret, or a part of it that is a token's, occurs.

        ansible-runner notes the environment that it was given in a file of its own, which AWX removes with the rest of the directory:
        what is told apart from that.
        """
        parts = {part.encode() for part in (secret, *secret.split(".")) if len(part) > 20}
        written = {path: path.read_bytes() for path in self.artifacts_directory.rglob("*") if path.is_file()}
        noted = self.artifacts_directory / "command"
        written[noted] = json.dumps({**json.loads(written[noted]), "env": None}).encode()
        written[self.directory / "runner.log"] = (self.directory / "runner.log").read_bytes()
        return sorted(str(path.relative_to(self.directory)) for path, text in written.items() if any(part in text for part in parts))

    def require(self, status: str) -> Job:
        """Return the job, or raise with its output."""
        if self.status != status:
            raise AssertionError(f"the job is {self.status}, not {status}\n{self.stdout}")
        return self


@dataclass
class Awx:
    """Runs jobs of one project with one credential; every job has a private data directory of its own."""

    directory: Path
    credential: Injector
    project: Path = CHECKOUT
    collections: Path = field(default_factory=collection_tree)
    number: int = 41

    def run(self, playbook: str, **options: Any) -> Job:
        """Run a job to its end; options are those of `start`."""
        return self.start(playbook, **options).wait()

    def start(
        self,
        playbook: str,
        variables: Mapping[str, Any] | None = None,
        *,
        template_variables: Mapping[str, Any] | None = None,
        check: bool = False,
        diff: bool = False,
        verbosity: int = 0,
        job_timeout: int = 0,
        idle_timeout: int = 0,
    ) -> RunningJob:
        """Start a job of a playbook, whose path is relative to the project.

        The variables are answers of a survey and artifacts, which are not templated; those of the job template are.
        """
        self.number += 1
        ident = str(self.number)
        directory = self.directory / f"job-{ident}"
        for part in ("env", "inventory"):
            (directory / part).mkdir(parents=True, mode=0o700)
        (directory / "project").symlink_to(self.project, target_is_directory=True)
        _write_inventory(directory)
        extra = {**(template_variables or {}), **(variables or {}), **_meta_variables(self.number)}
        _write(directory / "env" / "extravars", _dump(extra, template_variables or {}))
        _write(directory / "env" / "envvars", json.dumps(self._environment(directory)))
        timeouts = {"job_timeout": job_timeout, "idle_timeout": idle_timeout}
        _write(directory / "env" / "settings", json.dumps({"suppress_ansible_output": True, **{k: v for k, v in timeouts.items() if v}}))
        arguments = [
            *(["--check"] if check else []),
            "-u root",
            *(["--diff"] if diff else []),
            *([f"-{'v' * verbosity}"] if verbosity else []),
        ]
        _write(directory / "env" / "cmdline", " ".join(arguments))
        command = [str(PROGRAMS / "ansible-runner"), "run", str(directory), "-p", playbook, "--ident", ident]
        process = subprocess.Popen(
            command,
            env=_own_environment(),
            stdin=subprocess.DEVNULL,
            stdout=(directory / "runner.log").open("w"),
            stderr=subprocess.STDOUT,
        )
        return RunningJob(process, directory, ident, time.monotonic())

    def _environment(self, directory: Path) -> dict[str, str]:
        """Return the variables of the job: those that AWX sets for all, and those of the credential."""
        paths = [str(self.collections), "~/.ansible/collections", "/usr/share/ansible/collections"]
        return {
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(paths),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "AWX_HOST": "https://awx.example.com",
            "AWX_PRIVATE_DATA_DIR": str(directory),
            "INVENTORY_ID": "2",
            "JOB_ID": str(self.number),
            "MAX_EVENT_RES": "700000",
            "PROJECT_REVISION": "0" * 40,
            **self.credential(directory / "env"),
        }


@dataclass(frozen=True)
class RunningJob:
    """A job that was started."""

    process: subprocess.Popen[bytes]
    directory: Path
    ident: str
    started: float

    @property
    def lines(self) -> list[str]:
        """The output so far."""
        path = self.directory / "artifacts" / self.ident / "stdout"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def wait(self, timeout: float = 300) -> Job:
        """Return the job once it has ended, and with it, as in AWX, its container: whatever still runs in there is killed."""
        mark = f"AWX_PRIVATE_DATA_DIR={self.directory}"
        try:
            self.process.wait(timeout)
            ended = time.monotonic()
            while marked(mark) and time.monotonic() < ended + LINGER_SECONDS:
                time.sleep(0.05)
        finally:
            self.process.kill()
            left = kill_marked(mark)
        return Job(self.directory, self.ident, ended - self.started, left)

    def wait_for(self, what: str, is_there: Callable[[str], bool], timeout: float = 60) -> str:
        """Return the first line of the job's output that is right; raise when the job ends without it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            has_ended = self.process.poll() is not None
            found = next((line for line in self.lines if is_there(line)), None)
            if found is not None:
                return found
            if has_ended:
                break
            time.sleep(0.1)
        raise AssertionError(f"{what}: not seen\n{self.cancel().stdout}")

    def cancel(self) -> Job:
        """Cancel the job as AWX does: ansible-runner is asked to end, and kills what it has started."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait(GRACE_SECONDS)


def _write_inventory(directory: Path) -> None:
    """Write the inventory as the script that AWX writes."""
    host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    content = json.dumps({"all": {"hosts": ["localhost"]}, "_meta": {"hostvars": {"localhost": host}}})
    path = directory / "inventory" / "hosts"
    path.write_text(f"#!{sys.executable}\nprint({content!r})\n", encoding="utf-8")
    path.chmod(0o700)


def _meta_variables(number: int) -> dict[str, Any]:
    """Return what AWX tells every job about itself."""
    values = {
        "job_id": number,
        "job_launch_type": "manual",
        "user_id": 1,
        "user_name": "{{ operator }}",
        "inventory_id": 2,
        "inventory_name": "vmscale.kubevirt",
        "job_template_name": "vmscale.kubevirt ensure",
        "project_revision": "0" * 40,
    }
    return {f"{prefix}_{key}": value for prefix in PREFIXES for key, value in values.items()}


def _dump(variables: Mapping[str, Any], trusted: Mapping[str, Any]) -> str:
    """Return extra variables as AWX writes them: only those that still are as the job template has them may be templates."""
    documents: Sequence[str] = [
        yaml.dump({key: value}, Dumper=yaml.SafeDumper if key in trusted and trusted[key] == value else UnsafeDumper)
        for key, value in variables.items()
    ]
    return "".join(documents)


def _write(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content, encoding="utf-8")


def _own_environment() -> dict[str, str]:
    """Return the environment of ansible-runner itself, which has nothing of the cluster in it."""
    foreign = ("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG", "CONTROLLER_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return {**kept, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
