# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guest: a disk of a few megabytes that boots in 64M within seconds, also where the processor is emulated."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

from kind.debian import NODE_ROOT, fetch_kernel_source
from kind.pins import HERE, KERNEL_SOURCE
from kind.steps import Step, remove
from kind.workspace import ask, copy_files, run

FILES = HERE / "guest"
BUSYBOX = Path("/bin/busybox")
_DISK_BYTES = 8 << 20


def _make_kernel(directory: Path) -> None:
    archive = fetch_kernel_source(directory / "package")
    source = directory / "source"
    source.mkdir()
    run("kernel-extract", ["tar", "-C", source, "--strip-components=1", "-xf", archive])
    remove(directory / "package")
    run("kernel-tinyconfig", ["make", "-s", "-C", source, "tinyconfig"])
    run(
        "kernel-config", ["sh", source / "scripts/kconfig/merge_config.sh", "-m", "-O", source, source / ".config", FILES / "kernel.config"]
    )
    run("kernel-olddefconfig", ["make", "-s", "-C", source, "olddefconfig"])
    run("kernel-build", ["make", "-C", source, "-j2", "bzImage"])
    shutil.copyfile(source / "arch/x86/boot/bzImage", directory / "vmlinuz")
    remove(source)


def _make_disk(directory: Path) -> None:
    initrd = directory / "initrd.img"
    initrd.write_bytes(_initial_ram_disk(directory / "files"))
    remove(directory / "files")
    disk = directory / "disk.img"
    with disk.open("wb") as file:
        file.truncate(_DISK_BYTES)
    ask(["/usr/sbin/mkfs.vfat", "-F", "16", "-s", "1", "-n", "GUEST", disk])
    ask(["mcopy", "-i", disk, KERNEL.directory / "vmlinuz", initrd, FILES / "syslinux.cfg", "::/"])
    ask(["syslinux", "--install", disk])


def _initial_ram_disk(root: Path) -> bytes:
    for name in ("bin", "proc", "sys", "dev", "tmp", "etc"):
        (root / name).mkdir(parents=True)
    copy_files(
        {
            BUSYBOX: root / "bin/busybox",
            FILES / "init": root / "init",
            FILES / "answer": root / "bin/answer",
            FILES / "load": root / "bin/load",
            FILES / "quiet": root / "bin/quiet",
            FILES / "udhcpc.sh": root / "etc/udhcpc.sh",
            FILES / "powerbutton": root / "etc/acpi/PWRF/00000080",
        }
    )
    for applet in ask([BUSYBOX, "--list"]).split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    archive = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc"], cwd=root, input=names.encode(), capture_output=True, check=True
    ).stdout
    return gzip.compress(archive, mtime=0)


KERNEL = Step("guest-kernel", _make_kernel, (KERNEL_SOURCE, FILES / "kernel.config"), (NODE_ROOT,))
DISK = Step("guest-disk", _make_disk, (FILES, str(_DISK_BYTES)), (KERNEL,))
