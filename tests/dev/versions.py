# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the tests on every supported version, each in an environment of its own, and writes down what came of it."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from dev.environment import EnvironmentFailedError, ensure_environment
from dev.matrix import HEAD, Row, chosen_rows, requirements, table
from dev.paths import CHECKOUT, REQUIREMENTS, TESTS, checkout_cache
from dev.processes import run_logged, say
from dev.pytests import run_integration, run_pytest
from dev.pythons import find_python
from dev.sandbox import Sandbox
from dev.sections import replace_section
from dev.tally import Tally

README = CHECKOUT / "README.md"
SANDBOX = "versions"
# What the tests use of the package ansible; the rest of it is half a gigabyte.
COLLECTIONS = ("kubernetes/core", "awx/awx")
UNIT = (str(TESTS / "unit" / "plugins"), str(TESTS / "unit" / "roles"), "--numprocesses=2")


def run_versions(arguments: Sequence[str]) -> Tally:
    """Run the rows that are named, or all; the counts of each go into the README."""
    rows = chosen_rows(arguments)
    results: dict[Row, tuple[str, ...]] = {}
    total = Tally()
    try:
        for row in rows:
            say(f"\n== {row.name}: " + ", ".join(map(" ".join, zip(HEAD, row.cells, strict=False))))
            python = find_python(row.python)
            if python is None:
                say(f"  not run: no Python {row.python} here")
                continue
            tallies = _run(row, python)
            results[row] = tuple(map(str, tallies))
            total = sum(tallies, total)
            _write(results)
    except EnvironmentFailedError as error:
        say(str(error))
        total += Tally(failed=1)
    finally:
        if "VMSCALE_TEST_SANDBOX" not in os.environ:
            Sandbox(SANDBOX).down()
    return total


def _run(row: Row, python: Path) -> tuple[Tally, Tally]:
    wanted = checkout_cache() / "versions" / f"{row.name}.txt"
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted.write_text(requirements(row, REQUIREMENTS.read_text(encoding="utf-8")), encoding="utf-8")
    own = ensure_environment(wanted, f"the {row.name}", python)
    _add_collections(own, row.bundle)
    unit = run_pytest(own, f"versions-unit-{row.name}", UNIT)
    os.environ.setdefault("VMSCALE_TEST_SANDBOX", SANDBOX)
    return unit, run_integration(own, f"versions-integration-{row.name}", (), "versions")


def _add_collections(python: Path, bundle: str) -> None:
    """Take the collections out of a release of the package ansible, and leave the rest of it."""
    home = python.parents[1]
    mark = home / f"complete-collections-{bundle}"
    if mark.exists():
        return
    say(f"Fetching the collections of ansible {bundle} (once)")
    (packages,) = (home / "lib").glob("python3.*/site-packages")
    with tempfile.TemporaryDirectory() as folder:
        options = ("--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--progress-bar=off", "--dest", folder)
        command = [str(python), "-m", "pip", "download", *options, f"ansible=={bundle}"]
        done = run_logged("pip", command, checkout_cache() / "logs" / "pip.log")
        if done.code != 0:
            raise EnvironmentFailedError(done.output)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            places = tuple(f"ansible_collections/{collection}/" for collection in COLLECTIONS)
            archive.extractall(packages, [name for name in archive.namelist() if name.startswith(places)])
    mark.touch()


def _write(results: dict[Row, tuple[str, ...]]) -> None:
    text = README.read_text(encoding="utf-8")
    README.write_text(replace_section(text, "versions", "table", table(results, text)), encoding="utf-8")
