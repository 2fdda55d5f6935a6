# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the machine must have: whose images can be used here, and the packages that building them takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kind.pins import NODE_RELEASE
from kind.workspace import run

# Debian packages, each with a file that only it brings.
PACKAGES = {
    "bc": "/usr/bin/bc",
    "bison": "/usr/bin/bison",
    "busybox-static": "/bin/busybox",
    "containerd": "/usr/bin/containerd",
    "cpio": "/usr/bin/cpio",
    "debootstrap": "/usr/sbin/debootstrap",
    "docker.io": "/usr/sbin/dockerd",
    "dosfstools": "/usr/sbin/mkfs.vfat",
    "flex": "/usr/bin/flex",
    "gcc": "/usr/bin/gcc",
    "iproute2": "/usr/sbin/ip",
    "iptables": "/usr/sbin/iptables",
    "libc6-dev": "/usr/include/stdio.h",
    "libcap2-bin": "/usr/sbin/setcap",
    "libelf-dev": "/usr/include/libelf.h",
    "make": "/usr/bin/make",
    "mtools": "/usr/bin/mcopy",
    "pkg-config": "/usr/bin/pkg-config",
    "runc": "/usr/sbin/runc",
    "syslinux": "/usr/bin/syslinux",
    "xz-utils": "/usr/bin/xz",
}
Source = Literal["published", "built", "none"]


@dataclass(frozen=True)
class Way:
    """How the cluster can be had on this machine, and why so."""

    source: Source
    reason: str


def find_way() -> Way:
    """Published images with the Docker that runs here; images built here by root on Debian; or not at all."""
    wanted = os.environ.get("VMSCALE_KIND_IMAGES", "")
    if wanted not in ("", "published", "built"):
        return Way("none", f"VMSCALE_KIND_IMAGES is {wanted!r}: published or built")
    if wanted != "built" and _has_docker():
        return Way("published", "Docker runs here, so the published images are pulled")
    if wanted == "published":
        return Way("none", "no Docker answers, which the published images need")
    if os.geteuid() != 0:
        return Way("none", "no Docker answers, and only root can start one of its own")
    if _debian_release() != NODE_RELEASE:
        return Way("none", f"no Docker answers, and the images are built on Debian {NODE_RELEASE} only")
    return Way("built", "no Docker answers, so a Docker of its own runs images that are built here from Debian packages and Go modules")


def ensure_packages() -> None:
    """Install the Debian packages that are missing."""
    missing = [package for package, file in PACKAGES.items() if not Path(file).exists()]
    if missing:
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        run("apt-update", ["apt-get", "update", "-qq"], environment=environment)
        run("apt-install", ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], environment=environment)


def has_kvm() -> bool:
    """Whether guests can run on the processor itself."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return Path("/dev/kvm").exists() and (" vmx" in flags or " svm" in flags)


def lacks_capability(number: int) -> bool:
    """Whether no program here can ever have a capability (by its number in linux/capability.h)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    bounding = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd"))
    return not int(bounding, 16) & 1 << number


def _debian_release() -> str:
    """Return the name of this machine's Debian; what is linked against its C library runs on nodes of the same."""
    path = Path("/etc/os-release")
    found = re.search(r"^VERSION_CODENAME=(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE) if path.exists() else None
    return found[1] if found else ""


def _has_docker() -> bool:
    if not shutil.which("docker"):
        return False
    try:
        return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20).returncode == 0
    except subprocess.TimeoutExpired:
        return False
