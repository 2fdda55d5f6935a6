# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root file systems of Debian: one that kind's nodes run, one that KubeVirt's programs run in."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from kind.pins import KERNEL_SOURCE, LAUNCHER_RELEASE, NODE_RELEASE
from kind.steps import Step
from kind.workspace import KindError, run

NODE_PACKAGES = [
    "systemd",
    "systemd-sysv",
    "dbus",
    "containerd",
    "runc",
    "iptables",
    "nftables",
    "conntrack",
    "ethtool",
    "socat",
    "mount",
    "iproute2",
    "kmod",
    "util-linux",
    "procps",
    "ca-certificates",
    "libseccomp2",
    "ebtables",
    "ipset",
    "jq",
    "hostname",
    "curl",
    "iputils-ping",
    "udev",
]
LAUNCHER_PACKAGES = [
    "libvirt-daemon",
    "libvirt-daemon-common",
    "libvirt-daemon-driver-qemu",
    "libvirt-daemon-log",
    "libvirt-clients",
    "qemu-system-x86",
    "qemu-utils",
    "seabios",
    "procps",
    "iproute2",
    "nftables",
    "libcap2-bin",
    "util-linux",
    "xorriso",
    "acl",
    "libnbd0",
    "passt",
]
LIBRARIES = Path("usr/lib/x86_64-linux-gnu")


def _mirror() -> list[str]:
    """Return the mirror that this machine itself uses, or nothing for debootstrap's own default."""
    places = Path("/etc/apt").glob("sources.list*"), Path("/etc/apt/sources.list.d").glob("*")
    for path in (path for place in places for path in place if path.is_file()):
        text = path.read_text(encoding="utf-8")
        found = re.search(r"^(?:URIs:\s*|deb\s+(?:\[[^]]*\]\s+)?)(https?://\S+/debian/?)(?=\s|$)", text, re.MULTILINE)
        if found:
            return [found[1]]
    return []


def _bootstrap(release: str, root: Path, packages: list[str]) -> None:
    include = [f"--include={','.join(packages)}"] if packages else []
    run(f"debootstrap-{release}", ["debootstrap", "--variant=minbase", *include, release, root, *_mirror()])


def _make_node(directory: Path) -> None:
    _bootstrap(NODE_RELEASE, directory, NODE_PACKAGES)


def _make_launcher(directory: Path) -> None:
    root, headers = directory / "root", directory / "sysroot"
    _bootstrap(LAUNCHER_RELEASE, root, [])
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    (root / "etc/apt/sources.list.d/src.list").write_text((root / "etc/apt/sources.list").read_text().replace("deb ", "deb-src "))
    inside: list[str | Path] = ["chroot", root, "env", "DEBIAN_FRONTEND=noninteractive"]
    run("launcher-update", [*inside, "apt-get", "update", "-q"])
    run("launcher-install", [*inside, "apt-get", "install", "-q", "-y", "--no-install-recommends", *LAUNCHER_PACKAGES])
    fetched = "cd /tmp && apt-get download -q libvirt-dev libnbd-dev && apt-get source -q --download-only libnbd"
    run("launcher-sources", [*inside, "sh", "-ec", fetched])
    for package in (root / "tmp").glob("lib*-dev_*.deb"):
        run("launcher-headers", ["dpkg", "-x", package, headers])
    for name in ("virt", "virt-lxc", "virt-qemu", "virt-admin", "nbd"):
        for library in (root / LIBRARIES).glob(f"lib{name}.so.0*"):
            shutil.copy2(library, headers / LIBRARIES / library.name, follow_symlinks=False)
    for file in (headers / LIBRARIES / "pkgconfig").glob("*.pc"):
        file.write_text(_relocated(file.read_text(), file.stem == "libnbd"))
    _make_libnbd_bindings(root / "tmp", directory / "libnbd")
    for left in (root / "tmp").iterdir():
        left.unlink()


def _relocated(text: str, is_libnbd: bool) -> str:
    """Return a pkg-config file that leads into the unpacked headers, wherever they lie."""
    usr = "${pcfiledir}/../../.."
    text = re.sub(r"^prefix=.*", f"prefix={usr}", text, flags=re.MULTILINE)
    text = re.sub(r"^includedir=.*", f"includedir={usr}/include", text, flags=re.MULTILINE)
    text = re.sub(r"^libdir=.*", f"libdir={usr}/lib/x86_64-linux-gnu", text, flags=re.MULTILINE)
    if is_libnbd:
        text = re.sub(r"^Cflags:.*", "Cflags: -I${includedir}", text, flags=re.MULTILINE)
        text = re.sub(r"^Libs: -lnbd", "Libs: -L${libdir} -lnbd", text, flags=re.MULTILINE)
    return text


def _make_libnbd_bindings(sources: Path, target: Path) -> None:
    """Take libnbd's Go bindings out of Debian's source package, since the Go proxy does not have that module."""
    archives = [path for path in sources.glob("libnbd_*.orig.tar.*") if path.suffix != ".asc"]
    if not archives:
        raise KindError("Debian's source package of libnbd holds no original archive")
    target.mkdir()
    run("launcher-libnbd", ["tar", "-C", target, "--strip-components=2", "--wildcards", "-xf", archives[0], "*/golang"])
    for file in (*target.glob("*.go"), *target.glob("*.h")):
        # libvirt's bindings export the same symbol.
        file.write_text(re.sub(r"\bfreeCallbackId\b", "nbdFreeCallbackId", file.read_text()))


NODE_ROOT = Step("node-root", _make_node, (NODE_RELEASE, *NODE_PACKAGES))
LAUNCHER_ROOT = Step("launcher-root", _make_launcher, (LAUNCHER_RELEASE, *LAUNCHER_PACKAGES, "libnbd bindings"))


def fetch_kernel_source(directory: Path) -> Path:
    """Return Debian's archive of the kernel's source, downloaded with the node's own apt."""
    root = NODE_ROOT.directory
    run("kernel-update", ["chroot", root, "apt-get", "update", "-q"])
    run("kernel-download", ["chroot", root, "sh", "-ec", f"cd /tmp && apt-get download -q {KERNEL_SOURCE}"])
    package = next((root / "tmp").glob(f"{KERNEL_SOURCE}_*.deb"))
    run("kernel-unpack", ["dpkg", "-x", package, directory])
    package.unlink()
    return next((directory / "usr/src").glob("linux-source-*.tar.xz"))
