# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Building the components from pinned Go modules, once for each set of sources."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.files import locked
from sandbox.state import cache_directory
from sandbox.toolchain import Toolchain, find_toolchain, go_environment

SOURCES = Path(__file__).parent / "go"
_SAY_EVERY = 8.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Module:
    """A Go module: its programs, each with the other names that it is called by."""

    name: str
    programs: Mapping[str, tuple[str, ...]]
    version_module: str
    version_variables: tuple[str, ...]

    @property
    def binaries(self) -> tuple[str, ...]:
        """The names of all that can be called."""
        return tuple(name for program, names in self.programs.items() for name in (program, *names))

    @property
    def directory(self) -> Path:
        """Its sources."""
        return SOURCES / self.name

    def required(self) -> dict[str, str]:
        """The versions of the modules that it is built from."""
        return required_versions((self.directory / "go.mod").read_text())


KUBERNETES = Module(
    "kubernetes",
    {
        "kubernetes": (
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "metrics-server",
            "kwok",
            "kubectl",
            "kwok-manifests",
        )
    },
    "k8s.io/kubernetes",
    ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"),
)
KUBEVIRT = Module(
    "kubevirt",
    {"virt-api": (), "virt-controller": ("kubevirt-manifests",)},
    "kubevirt.io/kubevirt",
    ("kubevirt.io/client-go/version",),
)
MODULES = (KUBERNETES, KUBEVIRT)
ASSETS = ("etcd", "kube-apiserver", "kubectl")


def ensure_binaries(say: Say, modules: Sequence[Module] = MODULES) -> dict[str, Path]:
    """The binaries of all components, or of some modules: those of KUBEBUILDER_ASSETS, and for the rest built ones."""
    toolchain = find_toolchain(max((_go_version(module) for module in MODULES), key=lambda version: version.split(".")), say)
    binaries: dict[str, Path] = {}
    for module in modules:
        directory = _build(module, toolchain, say)
        binaries |= {name: directory / name for name in module.binaries}
    return binaries | provided_binaries(os.environ)


def provided_binaries(environment: Mapping[str, str]) -> dict[str, Path]:
    """The binaries that envtest's variable leads to."""
    assets = environment.get("KUBEBUILDER_ASSETS")
    found = {name: Path(assets) / name for name in ASSETS} if assets else {}
    return {name: path for name, path in found.items() if os.access(path, os.X_OK)}


def required_versions(text: str) -> dict[str, str]:
    """The direct and indirect requirements of a go.mod."""
    return dict(re.findall(r"^(?:require)?\s+(\S+) (v\S+)", text, re.MULTILINE))


def source_key(files: Mapping[str, bytes], go_version: str) -> str:
    """Names what is built from some sources by a version of Go."""
    digest = hashlib.sha256(go_version.encode())
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return digest.hexdigest()[:20]


def _go_version(module: Module) -> str:
    match = re.search(r"^go (\S+)", (module.directory / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        raise RuntimeError(f"{module.directory / 'go.mod'} names no Go version")
    return match[1]


def _build(module: Module, toolchain: Toolchain, say: Say) -> Path:
    sources = [path for path in module.directory.rglob("*") if path.suffix in (".go", ".mod", ".sum")]
    files = {str(path.relative_to(module.directory)): path.read_bytes() for path in sources}
    directory = cache_directory() / "bin" / f"{module.name}-{source_key(files, toolchain.version)}"
    if directory.is_dir():
        return directory
    # One build at a time, of all users of the cache: two would only slow each other down.
    with locked(cache_directory() / "bin" / "build.lock", say):
        if directory.is_dir():
            return directory
        unfinished = directory.with_name(f".{directory.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _compile(module, toolchain, unfinished, say)
        for program, names in module.programs.items():
            for name in names:
                (unfinished / name).symlink_to(program)
        unfinished.rename(directory)
    return directory


def _compile(module: Module, toolchain: Toolchain, output: Path, say: Say) -> None:
    version = module.required()[module.version_module]
    variables = [f"-X {package}.gitVersion={version}" for package in module.version_variables]
    variables += [f"-X {package}.gitCommit=sandbox -X {package}.gitTreeState=clean" for package in module.version_variables]
    command = [str(toolchain.go), "build", "-v", "-trimpath", "-ldflags", " ".join(["-s -w", *variables]), "-o", f"{output}/", "./..."]
    began = time.monotonic()
    say(f"building {module.version_module} {version} with Go {toolchain.version} (once; about 10 minutes for all on 2 cores)")
    _run_go([str(toolchain.go), "mod", "download"], module, "downloading modules", began, say)
    _run_go(command, module, "compiling", began, say)
    say(f"built {module.name} in {time.monotonic() - began:.0f} s")


def _run_go(command: list[str], module: Module, activity: str, began: float, say: Say) -> None:
    with subprocess.Popen(
        command, cwd=module.directory, env=go_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        lines: list[str] = []
        reader = threading.Thread(target=_collect, args=(process, lines), daemon=True)
        reader.start()
        while reader.is_alive():
            reader.join(_SAY_EVERY)
            if reader.is_alive():
                latest = f": {lines[-1]}" if lines else ""
                say(f"{time.monotonic() - began:4.0f} s  {module.name}: {activity}, {len(lines)} packages so far{latest}")
    if process.returncode:
        problem = "\n".join(lines[-30:])
        raise RuntimeError(f"{' '.join(command[:3])} in {module.directory} failed:\n{problem}")


def _collect(process: subprocess.Popen[str], lines: list[str]) -> None:
    if process.stderr is not None:
        for line in process.stderr:
            lines.append(line.rstrip())
