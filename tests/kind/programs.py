# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs of the cluster, built from pinned Go modules."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dev.processes import say
from kind import pins
from kind.debian import LAUNCHER_ROOT, LIBRARIES
from kind.pins import GO
from kind.steps import Step, remove
from kind.workspace import ask, run
from sandbox.toolchain import find_toolchain, go_environment

KUBEVIRT_IMAGE_PREFIX = "kind.local/kubevirt"
_KUBEVIRT_PROGRAMS = [
    "virt-handler",
    "virt-chroot",
    "virt-launcher",
    "virt-launcher-monitor",
    "virt-freezer",
    "virt-probe",
    "virt-tail",
    "virt-launcher/libvirt-hook-client",
    "virt-operator",
    "virt-api",
    "virt-controller",
]
_CNI_PLUGINS = ("ipam/host-local", "main/loopback", "main/bridge", "meta/portmap")


@cache
def _go() -> str:
    return str(find_toolchain("1.26.0", say).go)


def _environment(cgo: bool, more: Mapping[str, str] | None = None) -> dict[str, str]:
    flags = {"GOFLAGS": "-mod=mod -buildvcs=false", "CGO_ENABLED": "1" if cgo else "0"}
    return go_environment() | flags | dict(more or {})


def _build(name: str, source: Path, output: Path, packages: tuple[str, ...], *, link: str = "", environment: Mapping[str, str]) -> None:
    run(
        f"build-{name}",
        [_go(), "build", "-v", "-trimpath", "-ldflags", f"-s -w {link}", "-o", output, *packages],
        cwd=source,
        environment=environment,
    )


def _module(module: str) -> Path:
    """Return where a module of another project lies, downloading it."""
    answer = ask([_go(), "mod", "download", "-json", module], environment=_environment(cgo=False) | {"GOFLAGS": "-mod=mod"})
    return Path(json.loads(answer)["Dir"])


def _build_module(name: str, module: str, output: Path, packages: tuple[str, ...] = (".",), *, cgo: bool = False) -> None:
    """Build programs of another project's module by its own go.mod."""
    source = output.parent / f".{name}-source"
    remove(source)
    shutil.copytree(_module(module), source)
    for path in (source, *source.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    remove(source / "vendor")
    _build(name, source, output, packages, environment=_environment(cgo))
    remove(source)


def _stamped(package: str, version: str) -> str:
    return f"-X {package}.gitVersion={version} -X {package}.gitCommit=kind -X {package}.gitTreeState=clean"


def _make_kubernetes(directory: Path) -> None:
    package = "k8s.io/component-base/version"
    major, minor = pins.KUBERNETES.removeprefix("v").split(".")[:2]
    link = f"{_stamped(package, pins.KUBERNETES)} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
    source = directory / "source"
    shutil.copytree(GO / "kubernetes", source)
    _build("kubernetes", source, directory / "kubernetes", (".",), link=link, environment=_environment(cgo=True))
    remove(source)


def _make_kind(directory: Path) -> None:
    _build_module("kind", f"sigs.k8s.io/kind@{pins.KIND}", directory / "kind")


def _make_network_plugins(directory: Path) -> None:
    packages = tuple(f"./plugins/{plugin}" for plugin in _CNI_PLUGINS)
    _build_module("network-plugins", f"github.com/containernetworking/plugins@{pins.CNI_PLUGINS}", directory, packages)


def _make_coredns(directory: Path) -> None:
    _build_module("coredns", f"github.com/coredns/coredns@{pins.COREDNS}", directory / "coredns", cgo=True)


def _make_registry(directory: Path) -> None:
    _build(
        "registry",
        GO / "registry",
        directory / "registry",
        (".",),
        environment=_environment(cgo=False) | {"GOFLAGS": "-mod=readonly -buildvcs=false"},
    )


def _make_kubevirt(directory: Path) -> None:
    """Build KubeVirt's programs against the launcher's libraries, and render its operator's manifest by its own tool."""
    source, programs = directory / "source", directory / "programs"
    shutil.copytree(GO / "kubevirt", source)
    shutil.copytree(LAUNCHER_ROOT.directory / "libnbd", source / "libnbd")
    programs.mkdir()
    environment = _environment(cgo=True, more={"PKG_CONFIG_PATH": str(LAUNCHER_ROOT.directory / "sysroot" / LIBRARIES / "pkgconfig")})
    stamp = _stamped("kubevirt.io/client-go/version", pins.KUBEVIRT)
    packages = tuple(f"kubevirt.io/kubevirt/cmd/{program}" for program in _KUBEVIRT_PROGRAMS)
    _build(
        "kubevirt",
        source,
        programs,
        packages,
        link=f"{stamp} -extldflags '-Wl,--allow-shlib-undefined'",
        environment=environment,
    )
    templator = directory / "manifest-templator"
    _build("kubevirt-manifest", source, templator, ("kubevirt.io/kubevirt/tools/manifest-templator",), environment=environment)
    sources = kubevirt_sources()
    run(
        "build-container-disk",
        ["gcc", "-O2", "-static", "-s", "-o", programs / "container-disk", sources / "cmd/container-disk-v2alpha/main.c"],
    )
    (directory / "operator.yaml").write_text(_operator_manifest(templator, sources))
    remove(source)


def _operator_manifest(templator: Path, sources: Path) -> str:
    options = {
        "namespace": "kubevirt",
        "container-prefix": KUBEVIRT_IMAGE_PREFIX,
        "container-tag": pins.KUBEVIRT,
        "image-pull-policy": "IfNotPresent",
        "csv-version": pins.KUBEVIRT.removeprefix("v"),
        "kubevirt-logo-path": sources / "assets/kubevirt_logo.png",
        "generated-manifests-dir": f"{sources}/manifests/generated/",
        "input-file": sources / "manifests/release/kubevirt-operator.yaml.in",
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    text = ask([templator, "--process-files", "--process-vars", *words])
    # The tool leaves one of its own placeholders behind; one operator is enough for a small machine.
    return re.sub(r"^  replicas: 2$", "  replicas: 1", text.replace("{{.Namespace}}", "kubevirt"), flags=re.MULTILINE)


def kind_sources() -> Path:
    """Return kind's module, which holds the files of a node image."""
    return _module(f"sigs.k8s.io/kind@{pins.KIND}")


def kubevirt_sources() -> Path:
    """Return KubeVirt's module, which holds configuration of the launcher."""
    return _module(f"kubevirt.io/kubevirt@{pins.KUBEVIRT}")


def metrics_server_sources() -> Path:
    """Return metrics-server's module, which holds its manifests."""
    return _module(f"sigs.k8s.io/metrics-server@{pins.METRICS_SERVER}")


# How a program is built is an input of what it becomes.
_HERE = Path(__file__)

KUBERNETES = Step("kubernetes", _make_kubernetes, (GO / "kubernetes", _HERE))
KIND = Step("kind", _make_kind, (pins.KIND, _HERE))
NETWORK_PLUGINS = Step("network-plugins", _make_network_plugins, (pins.CNI_PLUGINS, _HERE))
COREDNS = Step("coredns", _make_coredns, (pins.COREDNS, _HERE))
REGISTRY = Step("registry", _make_registry, (GO / "registry", _HERE))
KUBEVIRT = Step("kubevirt", _make_kubevirt, (GO / "kubevirt", _HERE), (LAUNCHER_ROOT,))
