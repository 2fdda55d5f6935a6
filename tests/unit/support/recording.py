# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the recorders of fixtures have in common."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

from dev.paths import CHECKOUT, TESTS
from dev.sandbox import Sandbox

FIXTURES = Path(__file__).parents[1] / "plugins" / "module_utils" / "fixtures"


def until(look: Callable[[], t.Any], seconds: float = 60) -> t.Any:
    """Return the first thing that is found."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"it did not come within {seconds:g} s")


def write(path: Path, content: t.Any) -> None:
    """Write down what was recorded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    # The sandbox's ports are others each time.
    path.write_text(re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:6443", text) + "\n", encoding="utf-8")
    print(path.relative_to(CHECKOUT), flush=True)


def command(sandbox: Sandbox, *arguments: str) -> None:
    """Run a command of the sandbox."""
    subprocess.run(sandbox.command(*arguments), cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(TESTS)}, check=True)
