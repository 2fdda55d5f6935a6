# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The developer's commands: `python -m dev COMMAND`, called by the Makefile."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

from dev.demo import run_demo
from dev.environment import EnvironmentFailedError, ensure_environment, environment_path
from dev.paths import checkout_cache
from dev.processes import say
from dev.sandbox import Sandbox
from dev.stages import STAGES
from dev.suite import run_all, run_kind, run_kind_if_made, run_suite

DEMO_SANDBOX = "demo"
SANDBOXES = ("bench", DEMO_SANDBOX, "integration", "molecule")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command inside the project's Python environment."""
    parser = argparse.ArgumentParser(prog="dev", description=__doc__)
    parser.add_argument("command", choices=sorted([*STAGES, *COMMANDS]))
    parser.add_argument("arguments", nargs="*", help="what the stage hands on to its program")
    options = parser.parse_args(arguments)
    rest = [word for argument in options.arguments for word in shlex.split(argument)]
    try:
        _enter_environment()
    except EnvironmentFailedError as error:
        say(str(error))
        return 1
    if options.command in STAGES:
        return run_suite([STAGES[options.command]], rest)
    return COMMANDS[options.command]()


def _enter_environment() -> None:
    """Go on as the environment's own Python, so that everything started from here uses it too."""
    python = ensure_environment()
    if os.path.realpath(sys.prefix) != os.path.realpath(environment_path()):
        sys.stdout.flush()
        os.execv(python, [str(python), "-m", "dev", *sys.argv[1:]])


def _sandbox_up() -> int:
    sandbox = Sandbox(DEMO_SANDBOX)
    sandbox.up()
    say(f"export KUBECONFIG={sandbox.kubeconfig('admin')}")
    return 0


def _sandbox_down() -> int:
    for name in SANDBOXES:
        Sandbox(name).down()
    return 0


def _clean() -> int:
    """End the sandboxes and remove what belongs to this checkout; the shared environment and binaries stay."""
    _sandbox_down()
    shutil.rmtree(checkout_cache(), ignore_errors=True)
    return 0


def _guarded(act: Callable[[], int]) -> Callable[[], int]:
    """Return the command, its failure being that of the program it ran, which has said why."""

    def run() -> int:
        try:
            return act()
        except subprocess.CalledProcessError as error:
            return error.returncode or 1

    return run


COMMANDS = {
    "test": run_all,
    "test-kind": run_kind,
    "test-kind-if-made": run_kind_if_made,
    "demo": run_demo,
    "sandbox-up": _guarded(_sandbox_up),
    "sandbox-down": _guarded(_sandbox_down),
    "clean": _guarded(_clean),
}

if __name__ == "__main__":
    sys.exit(main())
