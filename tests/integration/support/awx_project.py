# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX makes of a repository: which of its files are playbooks that a job template can name."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

# A line that makes a file a playbook.
PLAYBOOK_LINE = re.compile(r"\s*-?\s*(hosts|(ansible\.builtin\.)?(include|import_playbook)):")
# Nothing under these is one.
PASSED_OVER = {"roles", "tasks", "group_vars", "host_vars"}


def playbooks(directory: Path) -> set[str]:
    """Return the playbooks of a project, by the paths under which job templates name them."""
    files = (path for path in directory.rglob("*") if path.suffix in (".yml", ".yaml") and path.is_file())
    return {str(path.relative_to(directory)) for path in files if _is_playbook(path, path.relative_to(directory))}


def export(checkout: Path, directory: Path) -> Path:
    """Return a copy of a checkout's files as they are, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=checkout, capture_output=True, check=True
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (checkout / name).is_file():
            copy = directory / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((checkout / name).read_bytes())
    return directory


def _is_playbook(path: Path, name: Path) -> bool:
    if PASSED_OVER & set(name.parts) or any(part.startswith(".") for part in name.parts):
        return False
    return any(PLAYBOOK_LINE.match(line) for line in path.read_text(encoding="utf-8", errors="ignore").splitlines())
