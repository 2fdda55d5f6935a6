# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports the archive as Galaxy does when it is published, and lets it have nothing to say against it: `python -m dev.importer`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from dev.archive import BuildFailedError, build, report
from dev.environment import EnvironmentFailedError, ensure_environment, site_packages
from dev.paths import IMPORTER_REQUIREMENTS, checkout_cache
from dev.processes import run_logged, say

# ansible-test runs as `make sanity`: the importer would need containers for it.
CONFIGURATION = """\
[galaxy-importer]
run_ansible_test = false
check_required_tags = true
require_v1_or_greater = false
"""
DONE = "Importer processing completed successfully"
NEEDED = "kubernetes"


def complaints(output: str) -> Iterator[str]:
    """Say what the importer complains of; all else that it prints is what it does."""
    for line in output.splitlines():
        if line.startswith(("WARNING:", "ERROR:", "CRITICAL:", "Traceback ")):
            yield line
    if DONE not in output.splitlines():
        yield "The importer did not get to its end."


def import_archive(archive: Path) -> int:
    """Run the importer in an environment of its own, since its requirements are at odds with those of the tests."""
    python = ensure_environment(IMPORTER_REQUIREMENTS, "the importer's")
    place = checkout_cache() / "importer"
    place.mkdir(parents=True, exist_ok=True)
    configuration = place / "galaxy-importer.cfg"
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    environment = {
        "GALAXY_IMPORTER_CONFIG": str(configuration),
        "HOME": str(place),
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "PYTHONPATH": str(_needed_collections(place)),
    }
    command = [str(python), "-m", "galaxy_importer.main", str(archive)]
    done = run_logged("importer", command, checkout_cache() / "logs" / "importer.log", environment=environment, cwd=place)
    code = report(complaints(done.output), f"Galaxy would take {archive.name}")
    return done.code or code


def _needed_collections(place: Path) -> Path:
    """Return a folder with the collection whose documentation ours includes; the importer looks for it where Python looks."""
    collections = place / "needed" / "ansible_collections"
    collections.mkdir(parents=True, exist_ok=True)
    link = collections / NEEDED
    link.unlink(missing_ok=True)
    link.symlink_to(site_packages() / "ansible_collections" / NEEDED, target_is_directory=True)
    return collections.parent


def main() -> int:
    """Build and import; the exit code says whether Galaxy would take it without a word."""
    try:
        return import_archive(build())
    except (BuildFailedError, EnvironmentFailedError) as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
