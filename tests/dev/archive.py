# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the archive that is published, and holds what is in it to what the repository has: `python -m dev.archive`."""

from __future__ import annotations

import re
import sys
import tarfile
from collections.abc import Iterable, Iterator, Set
from pathlib import Path

from dev.environment import tool, tool_environment
from dev.paths import NAME, NAMESPACE, checkout_cache
from dev.processes import run_logged, say
from dev.repository import files

# What users are given; build_ignore of galaxy.yml has to leave out everything else.
PUBLISHED = frozenset(
    {
        "CHANGELOG.md",
        "CODE_OF_CONDUCT.md",
        "CONTRIBUTING.md",
        "COPYING",
        "LICENSES",
        "README.md",
        "REUSE.toml",
        "changelogs",
        "docs",
        "meta",
        "playbooks",
        "plugins",
        "roles",
    }
)
# Written by ansible-galaxy, from galaxy.yml and from the files themselves.
LISTS = frozenset({"FILES.json", "MANIFEST.json"})


class BuildFailedError(Exception):
    """There is no archive."""


def build() -> Path:
    """Build the archive anew and return where it is."""
    folder = checkout_cache() / "archive"
    command = tool("ansible-galaxy", "collection", "build", "--force", "--output-path", str(folder))
    done = run_logged("build", command, checkout_cache() / "logs" / "build.log", environment=tool_environment())
    built = re.search(rf"^Created collection for {NAMESPACE}\.{NAME} at (.+)$", done.output, re.MULTILINE)
    if done.code != 0 or built is None:
        raise BuildFailedError(done.output)
    return Path(built[1])


def contents(archive: Path) -> Set[str]:
    """Return the names of the files in an archive."""
    with tarfile.open(archive) as opened:
        return {member.name for member in opened if not member.isdir()}


def complaints(packed: Set[str], known: Set[str]) -> Iterator[str]:
    """Say what is in an archive and should not be, and what is not in it and should be."""
    made = packed - LISTS
    wanted = {name for name in known if name.split("/")[0] in PUBLISHED}
    yield from (f"{name} is not to be published: name it in build_ignore of galaxy.yml" for name in sorted(known & made - wanted))
    yield from (f"{name} is published, and is not under version control" for name in sorted(made - known))
    yield from (f"{name} is missing" for name in sorted(wanted - made))
    yield from (f"{name} is missing" for name in sorted(LISTS - packed))


def main() -> int:
    """Build it and check it; the exit code says whether it can be published."""
    try:
        archive = build()
    except BuildFailedError as error:
        say(str(error))
        return 1
    packed = contents(archive)
    return report(complaints(packed, set(files())), f"{archive} has {len(packed)} files")


def report(found: Iterable[str], otherwise: str) -> int:
    """Say what is wrong, or what is right; returns the exit code."""
    lines = list(found)
    say("\n".join(lines or [otherwise]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
