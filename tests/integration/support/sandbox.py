# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands of the sandbox that only some tests need: its kubectl, and ending a component on purpose."""

from __future__ import annotations

import json
import os
import subprocess

from dev.paths import TESTS
from dev.sandbox import Sandbox


def run_sandbox(sandbox: Sandbox, *arguments: str) -> str:
    """Run a sandbox command, in UTC; returns what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "TZ": "UTC"}
    return subprocess.run(sandbox.command(*arguments), env=environment, capture_output=True, text=True, check=True).stdout


def process_of(sandbox: Sandbox, component: str) -> int:
    """Return the process id of a component."""
    parts = json.loads(run_sandbox(sandbox, "status", "--json"))["components"]
    return next(int(part["pid"]) for part in parts if part["name"] == component)
