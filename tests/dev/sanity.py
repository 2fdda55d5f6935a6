# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs `ansible-test sanity`, which wants a copy of the collection in a place of its choice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from dev.environment import environment_path, tool, tool_environment
from dev.paths import CHECKOUT, NAME, NAMESPACE, cache_home, checkout_cache
from dev.processes import run_logged, say
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
    copy = _copy_collection(checkout_cache() / "sanity")
    command = tool("ansible-test", "sanity", "--color", "no", *arguments)
    variables = tool_environment()
    environment = {**variables, "HOME": str(home), "PATH": _path_of_working_pythons(variables["PATH"])}
    done = run_logged("sanity", command, log, environment=environment, cwd=copy)
    if done.code != 0:
        say(done.output)
    tally = sanity_tally(done.output).with_code(done.code)
    say(f"  sanity: {tally} ({done.seconds:.0f} s)")
    return tally


def sanity_tally(output: str) -> Tally:
    """Return the counts; a test that ran on several versions of Python is one."""
    ran = set(re.findall(r'^Running sanity test "([a-z0-9-]+)"', output, re.MULTILINE))
    listed = re.search(r"^FATAL: The \d+ sanity test\(s\) listed below .*\n((?:[a-z0-9-]+.*\n)+)", output, re.MULTILINE)
    failed = {line.split()[0] for line in listed[1].splitlines()} if listed else set()
    return Tally(len(ran - failed), len(failed))


def _write_pip_bootstrap(home: Path) -> None:
    """Put the script where ansible-test keeps a downloaded one; its version is part of the name."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in _pip_versions():
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP, encoding="utf-8")


def _pip_versions() -> set[str]:
    packages = _site_packages()
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
    """Leave out folders with a Python that does not run, such as the shim of a version manager: ansible-test would trip over it."""

    def is_usable(folder: str) -> bool:
        pythons = [str(python) for python in Path(folder).glob("python3.[0-9]*") if re.fullmatch(r"python3\.\d+", python.name)]
        return all(subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0 for python in pythons)

    return os.pathsep.join(folder for folder in path.split(os.pathsep) if is_usable(folder))


def _copy_collection(tree: Path) -> Path:
    """Copy what is published of the collection below `ansible_collections`, beside the collection that it needs."""
    collections = tree / "ansible_collections"
    copy = collections / NAMESPACE / NAME
    shutil.rmtree(copy, ignore_errors=True)
    for name in _files():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, target, follow_symlinks=False)
    needed = collections / "kubernetes" / "core"
    if not needed.exists():
        needed.parent.mkdir(parents=True, exist_ok=True)
        needed.unlink(missing_ok=True)
        needed.symlink_to(_site_packages() / "ansible_collections" / "kubernetes" / "core")
    return copy


def _files() -> Iterable[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE).stdout
    names = [os.fsdecode(name) for name in listed.split(b"\0") if name]
    return [Path(name) for name in names if _is_checked(name) and (CHECKOUT / name).is_file()]


def _is_checked(name: str) -> bool:
    return name == CONFIGURATION or not (name == VERBATIM or name.startswith(NOT_PUBLISHED))


def _site_packages() -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return environment_path() / "lib" / version / "site-packages"
