# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images that run in the cluster: KubeVirt's, metrics-server's, and the guest's disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from dev.processes import say
from kind import pins
from kind.debian import LAUNCHER_ROOT, NODE_ROOT
from kind.engine import environment
from kind.guest import DISK
from kind.node_image import BASE, NODE_IMAGE, build_image, ensure_base, import_root
from kind.pins import HERE
from kind.programs import KIND, KUBEVIRT, KUBEVIRT_IMAGE_PREFIX, REGISTRY, kubevirt_sources, metrics_server_sources
from kind.steps import Step, remove
from kind.workspace import ask, copy_files, run
from sandbox.builder import KUBERNETES as SANDBOX_KUBERNETES
from sandbox.builder import ensure_binaries

# What the manifests of the quick start name.
GUEST_IMAGE = "kubevirt/cirros-container-disk-demo:latest"
# Where a rollout goes: the same guest on a disk with another label.
OTHER_GUEST_IMAGE = "kubevirt/alpine-container-disk-demo:latest"
METRICS_SERVER_IMAGE = f"registry.k8s.io/metrics-server/metrics-server:{pins.METRICS_SERVER}"
_QEMU = 107
_UNPRIVILEGED = 1001
# Debian has libvirt's daemon for all drivers only; KubeVirt looks for the one of QEMU, by the names of its program and sockets.
_VIRTQEMUD = """#!/bin/sh
mkdir -p /var/run/libvirt
for socket in sock sock-ro admin-sock; do ln -sf libvirt-$socket /var/run/libvirt/virtqemud-$socket; done
exec /usr/lib/vmscale/virtqemud "$@"
"""


def _save(images: list[str], archive: Path) -> None:
    run(
        f"save-{archive.parent.name.lstrip('.').split('-')[0]}", ["docker", "save", "--output", archive, *images], environment=environment()
    )


def _make_kubevirt_images(directory: Path) -> None:
    root = directory / "root"
    run("kubevirt-copy", ["cp", "-a", LAUNCHER_ROOT.directory / "root", root])
    _make_kubevirt_root(root)
    base = f"{KUBEVIRT_IMAGE_PREFIX}/base:{pins.KUBEVIRT}"
    import_root("kubevirt-import", root, base)
    remove(root)
    images = []
    for program in ("virt-operator", "virt-api", "virt-controller", "virt-handler", "virt-launcher"):
        image = f"{KUBEVIRT_IMAGE_PREFIX}/{program}:{pins.KUBEVIRT}"
        user = [] if program in ("virt-handler", "virt-launcher") else [f"USER {_UNPRIVILEGED}"]
        (directory / program).mkdir()
        build_image(directory / program, image, [f"FROM {base}", *user, f'ENTRYPOINT ["/usr/bin/{program}"]'])
        images.append(image)
    _save(images, directory / "images.tar")


def _make_kubevirt_root(root: Path) -> None:
    for left in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(root / left, ignore_errors=True)
    with (root / "etc/passwd").open("a") as file:
        file.write(f"qemu:x:{_QEMU}:{_QEMU}:qemu:/home/qemu:/bin/bash\nnonroot-user:x:{_UNPRIVILEGED}:{_UNPRIVILEGED}::/:/bin/sh\n")
    with (root / "etc/group").open("a") as file:
        file.write(f"qemu:x:{_QEMU}:\n")
    (root / "home/qemu").mkdir(parents=True, exist_ok=True)
    # KubeVirt resolves paths in this root from outside, so the link must not be absolute.
    (root / "var/run").unlink()
    (root / "var/run").symlink_to("../run")
    sources = kubevirt_sources() / "cmd/virt-launcher"
    copy_files({sources / file: root / "etc/libvirt" / file for file in ("qemu.conf", "virtqemud.conf")}, 0o644)
    copy_files({sources / "nsswitch.conf": root / "etc/nsswitch.conf"}, 0o644)
    copy_files(
        {sources / "qemu": root / "etc/libvirt/hooks/qemu", sources / "node-labeller/node-labeller.sh": root / "usr/bin/node-labeller.sh"}
    )
    (root / "etc/libvirt/virtlogd.conf").touch()
    copy_files({root / "usr/sbin/libvirtd": root / "usr/lib/vmscale/virtqemud"})
    (root / "usr/sbin/virtqemud").write_text(_VIRTQEMUD)
    (root / "usr/sbin/virtqemud").chmod(0o755)
    copy_files({path: root / "usr/bin" / path.name for path in (KUBEVIRT.directory / "programs").iterdir()})
    (root / ".version").write_text(f"{pins.KUBEVIRT}\n")
    ask(["/usr/sbin/setcap", "cap_net_bind_service=ep", root / "usr/bin/virt-launcher-monitor"])


def _make_metrics_server(directory: Path) -> None:
    ensure_base()
    binaries = ensure_binaries(say, (SANDBOX_KUBERNETES,))
    source = binaries["metrics-server"].resolve()
    copy_files({source: directory / "files/metrics-server"})
    build_image(
        directory / "files", METRICS_SERVER_IMAGE, [f"FROM {BASE}", "COPY metrics-server /metrics-server", 'ENTRYPOINT ["/metrics-server"]']
    )
    remove(directory / "files")
    _save([METRICS_SERVER_IMAGE], directory / "images.tar")
    text = ask([binaries["kubectl"], "kustomize", metrics_server_sources() / "manifests/base"])
    (directory / "metrics-server.yaml").write_text(
        text.replace("gcr.io/k8s-staging-metrics-server/metrics-server:master", METRICS_SERVER_IMAGE)
    )


def _make_guests(directory: Path) -> None:
    for image, label in ((GUEST_IMAGE, "GUEST"), (OTHER_GUEST_IMAGE, "OTHER")):
        disk = directory / "files/disk/disk.img"
        copy_files({DISK.directory / "disk.img": disk}, 0o644)
        ask(["mlabel", "-i", disk, f"::{label}"])
        build_image(directory / "files", image, ["FROM scratch", f"COPY --chown={_QEMU}:{_QEMU} disk /disk"])
        remove(directory / "files")
    _save([GUEST_IMAGE, OTHER_GUEST_IMAGE], directory / "images.tar")


KUBEVIRT_IMAGES = Step("kubevirt-images", _make_kubevirt_images, (HERE / "images.py",), (LAUNCHER_ROOT, KUBEVIRT))
METRICS_SERVER = Step(
    "metrics-server", _make_metrics_server, (METRICS_SERVER_IMAGE, SANDBOX_KUBERNETES.directory, HERE / "images.py"), (NODE_ROOT,)
)
GUEST = Step("guest", _make_guests, (GUEST_IMAGE, OTHER_GUEST_IMAGE), (DISK,))
ALL = (NODE_IMAGE, KUBEVIRT_IMAGES, METRICS_SERVER, GUEST, KIND, REGISTRY)
