# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs `ansible-test sanity` on a copy of what is published."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from dev.environment import site_packages, tool, tool_environment
from dev.outcomes import outcomes_tally, read_outcomes, told
from dev.paths import cache_home, checkout_cache
from dev.placed import placed_copy
from dev.processes import run_logged, say
from dev.pythons import is_usable, pythons_of_pyenv
from dev.tally import Tally

GET_PIP = '''\
"""Stands in for get-pip: takes the pip that Python brings, so that nothing is fetched but packages from the index."""
import subprocess
import sys

unknown = ("--no-setuptools", "--no-wheel")
arguments = [argument for argument in sys.argv[1:] if argument not in unknown]
subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
subprocess.run([sys.executable, "-m", "pip", "install", "--upgrade", *arguments], check=True)
'''


# Not published, and held to ruff and mypy instead, which know newer Python than the modules may use.
NOT_PUBLISHED = "tests/"
CONFIGURATION = "tests/config.yml"
# Kept as its author published it, which ends in an empty document; ansible-test allows one document a file.
VERBATIM = "playbooks/files/test-hpa.yaml"


def run_sanity(log: Path, arguments: Sequence[str]) -> Tally:
    """Run the tests, and count each of them once."""
    home = cache_home() / "ansible-test"
    _write_pip_bootstrap(home)
    _write_pip_configuration(home)
    copy = placed_copy(checkout_cache() / "sanity", _is_checked)
    variables = tool_environment()
    environment = {**variables, "HOME": str(home), "PATH": _path_of_working_pythons(variables["PATH"])}
    command = tool("ansible-test", "sanity", "--color", "no", *arguments)
    listed = run_logged("sanity", [*command, "--list-tests"], log, environment=environment, cwd=copy).output.splitlines()
    done = run_logged("sanity", [*command, "--junit"], log, environment=environment, cwd=copy)
    if done.code != 0:
        say(done.output)
    outcomes = read_outcomes(copy / "tests" / "output" / "junit", done.output)
    for line in told(filter(re.compile(r"[a-z0-9-]+").fullmatch, listed), outcomes):
        say(f"  sanity: {line}")
    tally = outcomes_tally(outcomes).with_code(done.code)
    say(f"  sanity: {tally} ({done.seconds:.0f} s)")
    return tally


def _write_pip_bootstrap(home: Path) -> None:
    """Put the script where ansible-test keeps a downloaded one; its version is part of the name."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in _pip_versions():
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP, encoding="utf-8")


def _pip_versions() -> set[str]:
    packages = site_packages()
    source = packages / "ansible_test" / "_internal" / "python_requirements.py"
    return set(re.findall(r"\bpip='([0-9.]+)'", source.read_text(encoding="utf-8")))


def _write_pip_configuration(home: Path) -> None:
    """Hand on how this user's pip reaches its index, since ansible-test passes no variables on."""
    command = tool("python", "-m", "pip", "config", "list")
    listed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    settings = dict(re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE))
    path = home / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = {value}" for key, value in settings.items() if key != "require-virtualenv"]
    path.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")


def _path_of_working_pythons(path: str) -> str:
    """Leave out folders with a Python that does not run, which ansible-test would trip over, and add those that are on no path."""

    def all_run(folder: Path) -> bool:
        return all(is_usable(python) for python in folder.glob("python3.[0-9]*") if re.fullmatch(r"python3\.\d+", python.name))

    folders = [*map(Path, path.split(os.pathsep)), *pythons_of_pyenv()]
    return os.pathsep.join(str(folder) for folder in folders if all_run(folder))


def _is_checked(name: str) -> bool:
    return name == CONFIGURATION or not (name == VERBATIM or name.startswith(NOT_PUBLISHED))
