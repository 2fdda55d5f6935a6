# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs runc without asking for CAP_SYS_RESOURCE, which `docker run --privileged` always asks for and not every machine has."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

CAPABILITY = "CAP_SYS_RESOURCE"


def without(process: dict[str, Any]) -> dict[str, Any]:
    """Return a process of the OCI runtime specification without the capability."""
    capabilities = process.get("capabilities", {})
    return process | {"capabilities": {kind: [name for name in names if name != CAPABILITY] for kind, names in capabilities.items()}}


def _value(arguments: list[str], names: tuple[str, ...]) -> str | None:
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in names:
            return value if equals else arguments[position + 1]
    return None


def main(arguments: list[str]) -> None:
    """Rewrite what runc is about to read, and become runc."""
    bundle = _value(arguments, ("--bundle", "-b"))
    configuration = Path(bundle) / "config.json" if bundle else None
    if configuration and configuration.exists():
        content = json.loads(configuration.read_text(encoding="utf-8"))
        if "process" in content:
            configuration.write_text(json.dumps(content | {"process": without(content["process"])}), encoding="utf-8")
    process = _value(arguments, ("--process", "-p"))
    if process and Path(process).exists():
        path = Path(process)
        path.write_text(json.dumps(without(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    runc = shutil.which("runc") or "/usr/sbin/runc"
    os.execv(runc, ["runc", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
