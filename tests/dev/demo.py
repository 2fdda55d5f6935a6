# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole story on the sandbox: ensure, verify, scale out under load and in again, change nothing the second time."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dev.environment import tool, tool_environment
from dev.paths import checkout_cache
from dev.processes import Finished, run_logged, say
from dev.sandbox import Sandbox

SANDBOX = "demo"
SET = "testreplicaset"
AUTOSCALER = "test-hpa"
NAMESPACE = "default"
SEED = {"vmirs_src": f"{SET}.yaml", "hpa_src": f"{AUTOSCALER}.yaml"}
BUSY, IDLE = 80, 5
SCALING_TIMEOUT = 180


class DemoFailedError(Exception):
    """What was to be shown did not come true."""


@dataclass
class Demo:
    """Runs the steps and keeps what they showed."""

    sandbox: Sandbox = field(default_factory=lambda: Sandbox(SANDBOX))
    shown: list[tuple[str, float]] = field(default_factory=list)

    def run(self) -> None:
        """Run every step; the objects of an earlier run are removed first, so that it is always the whole story."""
        self.step("the sandbox is up", self.bring_up)
        self.step(f"no {SET} and no {AUTOSCALER} are left", self.remove)
        self.step("3 of 3 VMIs are ready, the autoscaler works: 3 current / 3 desired", self.ensure)
        self.step(f"at {BUSY} % load the autoscaler went to 5 current / 5 desired", lambda: self.scale(BUSY, 5))
        self.step(f"at {IDLE} % load it came back to 3 current / 3 desired", lambda: self.scale(IDLE, 3))
        self.step("a second run changed nothing", self.ensure_again)

    def step(self, what: str, act: Callable[[], None]) -> None:
        say(f"\n== {len(self.shown) + 1}. To be shown: {what}")
        started = time.monotonic()
        act()
        self.shown.append((what, time.monotonic() - started))

    def bring_up(self) -> None:
        done = run_logged("sandbox", self.sandbox.command("up"), _log("sandbox"), environment=tool_environment(), live=True)
        if done.code != 0:
            raise DemoFailedError("the sandbox did not come up")
        self.sandbox.unload(SET, NAMESPACE)

    def remove(self) -> None:
        self.play("remove", SEED)

    def ensure(self) -> None:
        done = self.play("ensure", SEED)
        _require_scale(done.output, 3)

    def scale(self, percent: int, replicas: int) -> None:
        self.sandbox.load(SET, NAMESPACE, percent)
        variables: dict[str, str | int] = {
            "verify_name": AUTOSCALER,
            "verify_namespace": NAMESPACE,
            "verify_current_replicas": replicas,
            "verify_wait_timeout": SCALING_TIMEOUT,
        }
        _require_scale(self.play("verify", variables).output, replicas)

    def ensure_again(self) -> None:
        recap = re.search(r"^localhost\s.*\bchanged=(\d+)", self.play("ensure", SEED).output, re.MULTILINE)
        if recap is None or recap[1] != "0":
            raise DemoFailedError(f"the second run reports changed={recap[1] if recap else '?'}")

    def play(self, name: str, variables: Mapping[str, str | int]) -> Finished:
        """Run one of the collection's playbooks as the operator."""
        extra = [argument for key, value in variables.items() for argument in ("--extra-vars", f"{key}={value}")]
        shown = " ".join(extra).replace("--extra-vars", "-e")
        say(f"  $ ansible-playbook vmscale.kubevirt.{name} {shown}")
        command = tool("ansible-playbook", f"vmscale.kubevirt.{name}", *extra)
        environment = {**tool_environment(), "K8S_AUTH_KUBECONFIG": str(self.sandbox.kubeconfig("operator"))}
        done = run_logged(name, command, _log(name), environment=environment, live=True)
        if done.code != 0:
            raise DemoFailedError(f"the playbook {name} ended with {done.code}")
        return done


def run_demo() -> int:
    """Run the demo and say what it showed."""
    demo = Demo()
    started = time.monotonic()
    failure = ""
    try:
        demo.run()
    except (DemoFailedError, subprocess.CalledProcessError) as error:
        failure = str(error)
    say("\n== what was shown")
    for number, (what, seconds) in enumerate(demo.shown, start=1):
        say(f"  {number}. {what} ({seconds:.0f} s)")
    if failure:
        say(f"\nThe demo FAILED: {failure}")
        return 1
    say(f"\nAll of it was true, in {time.monotonic() - started:.0f} s.")
    say(f"The sandbox {SANDBOX!r} stays up with all of it; `make sandbox-down` ends it.")
    say(f"Its kubeconfig: {demo.sandbox.kubeconfig('admin')}")
    return 0


def _require_scale(output: str, replicas: int) -> None:
    wanted = rf"VirtualMachineInstanceReplicaSet pods:\s+{replicas} current / {replicas} desired"
    if re.search(wanted, output) is None:
        raise DemoFailedError(f"the description does not say {replicas} current / {replicas} desired")


def _log(name: str) -> Path:
    return checkout_cache() / "logs" / f"demo-{name}.log"
