# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wrapper of runc takes one capability off what it is asked for, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from kind import runc

PROCESS: dict[str, Any] = {
    "args": ["sleep"],
    "capabilities": {"bounding": ["CAP_NET_RAW", "CAP_SYS_RESOURCE"], "effective": ["CAP_SYS_RESOURCE", "CAP_SYS_ADMIN"]},
}
LESS = {"bounding": ["CAP_NET_RAW"], "effective": ["CAP_SYS_ADMIN"]}


def wrapped(tmp_path: Path, *arguments: str) -> list[str]:
    """Run the wrapper with a runc that prints what it is given."""
    program = tmp_path / "bin" / "runc"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    command = [sys.executable, "-I", "-S", runc.__file__, *arguments]
    return subprocess.run(command, env={"PATH": str(program.parent)}, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_new_container(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"hostname": "node", "process": PROCESS}))
    arguments = ["--root", "/run", "create", "--bundle", str(tmp_path), "name"]

    assert wrapped(tmp_path, *arguments) == arguments
    assert json.loads((tmp_path / "config.json").read_text()) == {"hostname": "node", "process": {**PROCESS, "capabilities": LESS}}


def test_a_process_in_a_container(tmp_path: Path) -> None:
    process = tmp_path / "process.json"
    process.write_text(json.dumps(PROCESS))

    wrapped(tmp_path, "exec", f"--process={process}", "name")
    assert json.loads(process.read_text())["capabilities"] == LESS


def test_other_commands_pass(tmp_path: Path) -> None:
    assert wrapped(tmp_path, "delete", "--force", "name") == ["delete", "--force", "name"]
