# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image of kind's nodes: Debian, kind's own files, Kubernetes, and the images that kubeadm asks for, unpacked by nobody yet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from dev.processes import say
from kind import pins
from kind.debian import LIBRARIES, NODE_ROOT
from kind.engine import docker, environment
from kind.guest import BUSYBOX
from kind.pins import HERE
from kind.programs import COREDNS, KUBERNETES, NETWORK_PLUGINS, kind_sources
from kind.steps import Step, remove
from kind.workspace import KindError, ask, copy_files, run

BASE = "vmscale-kind/base"
_KUBERNETES_IMAGE = "vmscale-kind/kubernetes"
_NODE_BASE = "vmscale-kind/node-base"
_BUILDER = "vmscale-kind-node-builder"
_COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd", "kubectl")
_C_LIBRARIES = "libc.so.6 libresolv.so.2 libpthread.so.0 libdl.so.2 libm.so.6 librt.so.1 libnss_files.so.2 libnss_dns.so.2"
_REGISTRY = "registry.k8s.io"
_ENTRYPOINT = 'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]'
_STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
}
# What a node's systemd does as in kind's own images.
_PREPARE_SYSTEMD = r"""
rm -f /lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* /lib/systemd/system/local-fs.target.wants/*
rm -f /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl*
rm -f /lib/systemd/system/basic.target.wants/*
echo ReadKMsg=no >> /etc/systemd/journald.conf
ln -sf /usr/lib/systemd/systemd /sbin/init
systemctl enable kubelet.service containerd.service undo-mount-hacks.service
systemctl mask systemd-binfmt.service systemd-udevd.service
rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/* /usr/share/doc /usr/share/man /usr/share/locale
"""


def name() -> str:
    """Return the name of the image."""
    return f"vmscale-kind/node:{NODE_IMAGE.key}"


def build_image(directory: Path, tag: str, lines: list[str]) -> None:
    """Build an image from a directory and the lines of a Dockerfile, without any network."""
    (directory / "Dockerfile").write_text("\n".join(lines) + "\n")
    docker("build", "--quiet", "--network=none", "--tag", tag, directory)


def import_root(what: str, root: Path, tag: str, *changes: str) -> None:
    """Make a root file system the only layer of an image."""
    options = [word for change in changes for word in ("--change", change)]
    quoted = " ".join(f"'{option}'" for option in options)
    keep = "--xattrs --xattrs-include=security.capability --numeric-owner"
    run(what, ["sh", "-ec", f"tar -C '{root}' {keep} -c . | docker import {quoted} - '{tag}'"], environment=environment())


def ensure_base() -> None:
    """Make the image that static programs and those that need no more than the C library run in."""
    if docker("images", "--quiet", BASE).strip():
        return
    root = NODE_ROOT.directory
    directory = NODE_ROOT.directory.parent / ".base-image"
    remove(directory)
    for path in ("bin", "lib64", "lib/x86_64-linux-gnu", "usr/local/bin", "usr/bin", "usr/sbin", "etc", "tmp", "var", "root", "sbin"):
        (directory / path).mkdir(parents=True)
    (directory / "tmp").chmod(0o1777)
    copy_files({root / "lib64/ld-linux-x86-64.so.2": directory / "lib64/ld-linux-x86-64.so.2", BUSYBOX: directory / "bin/busybox"})
    copy_files({root / LIBRARIES / library: directory / "lib/x86_64-linux-gnu" / library for library in _C_LIBRARIES.split()})
    for applet in ask([BUSYBOX, "--list"]).split():
        if applet != "busybox":
            (directory / "bin" / applet).symlink_to("busybox")
    (directory / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    (directory / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (directory / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    import_root("base-image", directory, BASE)
    remove(directory)


def _make(directory: Path) -> None:
    ensure_base()
    images = _make_control_plane_images(directory / "images")
    run("control-plane-save", ["docker", "save", "--output", directory / "images.tar", *images], environment=environment())
    remove(directory / "images")
    _make_node_root(directory / "root")
    import_root("node-import", directory / "root", _NODE_BASE, "ENV container=docker", _ENTRYPOINT)
    remove(directory / "root")
    _load_images_into_node(directory / "images.tar", name())
    (directory / "images.tar").unlink()
    run("node-save", ["docker", "save", "--output", directory / "image.tar", name()], environment=environment())


def _make_control_plane_images(directory: Path) -> list[str]:
    kubernetes = directory / "kubernetes"
    copy_files({KUBERNETES.directory / "kubernetes": kubernetes / "kubernetes"})
    links = f"RUN for name in {' '.join(_COMPONENTS)}; do ln -s kubernetes /usr/local/bin/$name; done"
    path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    build_image(kubernetes, _KUBERNETES_IMAGE, [f"FROM {BASE}", "COPY kubernetes /usr/local/bin/", links, path])
    images = [f"{_REGISTRY}/{component}:{pins.KUBERNETES}" for component in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")]
    images.append(f"{_REGISTRY}/etcd:{pins.ETCD_TAG}")
    for image in images:
        docker("tag", _KUBERNETES_IMAGE, image)
    proxy = f"{_REGISTRY}/kube-proxy:{pins.KUBERNETES}"
    _make_proxy_root(directory / "kube-proxy/root")
    build_image(directory / "kube-proxy", proxy, [f"FROM {_KUBERNETES_IMAGE}", "COPY root /"])
    coredns = f"{_REGISTRY}/coredns/coredns:{pins.COREDNS}"
    copy_files({COREDNS.directory / "coredns": directory / "coredns/coredns"})
    build_image(directory / "coredns", coredns, [f"FROM {BASE}", "COPY coredns /coredns", 'ENTRYPOINT ["/coredns"]'])
    pause = f"{_REGISTRY}/pause:{pins.PAUSE_TAG}"
    (directory / "pause").mkdir()
    run("build-pause", ["gcc", "-Os", "-static", "-s", "-o", directory / "pause/pause", HERE / "pause.c"])
    build_image(directory / "pause", pause, ["FROM scratch", "COPY pause /pause", 'ENTRYPOINT ["/pause"]'])
    return [*images, proxy, coredns, pause]


def _make_proxy_root(root: Path) -> None:
    """Gather iptables and nftables of the node, with the libraries that they need."""
    node = NODE_ROOT.directory
    programs = ("xtables-nft-multi", "xtables-legacy-multi", "nft")
    copy_files({node / "usr/sbin" / program: root / "usr/sbin" / program for program in programs})
    for link in ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"):
        (root / "usr/sbin" / link).symlink_to("xtables-nft-multi")
    shutil.copytree(node / LIBRARIES / "xtables", root / LIBRARIES / "xtables")
    needed = ask(["chroot", node, "ldd", *(f"/usr/sbin/{program}" for program in programs)])
    libraries = {line.split()[2] for line in needed.splitlines() if "=> /" in line}
    copy_files({node / library.lstrip("/"): root / LIBRARIES / Path(library).name for library in libraries})


def _make_node_root(root: Path) -> None:
    run("node-copy", ["cp", "-a", NODE_ROOT.directory, root])
    files = kind_sources() / "images/base/files"
    copy_files({files / "usr/local/bin/entrypoint": root / "usr/local/bin/entrypoint"})
    copy_files({path: root / "kind/bin" / path.name for path in (files / "kind/bin").iterdir()})
    copy_files({path: root / "etc" / path.relative_to(files / "etc") for path in (files / "etc").rglob("*") if path.is_file()}, 0o644)
    # kind's unit instead of Debian's, and Debian's programs where kind's unit looks for them.
    (root / "lib/systemd/system/containerd.service").unlink()
    for program in ("containerd", "ctr", "containerd-shim-runc-v2"):
        (root / "usr/local/bin" / program).symlink_to(f"/usr/bin/{program}")
    (root / "usr/local/sbin/runc").symlink_to("/usr/sbin/runc")
    _configure_containerd(root)
    copy_files({KUBERNETES.directory / "kubernetes": root / "usr/bin/kubernetes"})
    for program in ("kubelet", "kubeadm", "kubectl"):
        (root / "usr/bin" / program).symlink_to("kubernetes")
    copy_files({path: root / "opt/cni/bin" / path.name for path in NETWORK_PLUGINS.directory.iterdir()})
    for configuration in (root / "etc/cni/net.d").glob("*"):
        configuration.unlink()
    for directory in ("etc/cni/net.d", "etc/kubernetes/manifests", "kind/manifests"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    (root / "kind/version").write_text(pins.KUBERNETES)
    for manifest in ("default-storage.yaml", "default-cni.yaml"):
        (root / "kind/manifests" / manifest).write_text(json.dumps(_STORAGE_CLASS))
    run("node-systemd", ["chroot", root, "sh", "-ec", _PREPARE_SYSTEMD])


def _configure_containerd(root: Path) -> None:
    specification = json.loads(ask(["chroot", root, "ctr", "oci", "spec"]))
    specification.setdefault("hooks", {}).setdefault("createContainer", []).append({"path": "/kind/bin/mount-product-files.sh"})
    specification["process"].pop("rlimits", None)
    (root / "etc/containerd/cri-base.json").write_text(json.dumps(specification))
    path = root / "etc/containerd/config.toml"
    # Lowering oom_score_adj takes CAP_SYS_RESOURCE.
    text = path.read_text().replace("restrict_oom_score_adj = false", "restrict_oom_score_adj = true")
    mirrors = '\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n'
    path.write_text(text + ("" if '"io.containerd.grpc.v1.cri".registry]' in text else mirrors))


def _load_images_into_node(archive: Path, tag: str) -> None:
    """Put images into the store of the node's containerd, as `kind build node-image` does."""
    docker("rm", "--force", _BUILDER)
    docker("run", "--detach", "--name", _BUILDER, "--privileged", "--network=none", "--entrypoint", "sleep", _NODE_BASE, "infinity")
    try:
        docker("exec", "--detach", _BUILDER, "containerd")
        _await_containerd()
        with archive.open("rb") as stream:
            command = [
                "docker",
                "exec",
                "--interactive",
                _BUILDER,
                "ctr",
                "-n",
                "k8s.io",
                "images",
                "import",
                "--all-platforms",
                "--no-unpack",
                "-",
            ]
            subprocess.run(command, stdin=stream, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment()})
        docker("exec", _BUILDER, "sh", "-c", "kill $(pidof containerd); while pidof containerd >/dev/null; do sleep 0.2; done")
        docker("commit", "--change", _ENTRYPOINT, "--change", "ENV container=docker", _BUILDER, tag)
    finally:
        docker("rm", "--force", _BUILDER)


def _await_containerd() -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            docker("exec", _BUILDER, "ctr", "version")
        except KindError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


NODE_IMAGE = Step(
    "node-image", _make, (HERE / "pause.c", HERE / "node_image.py", pins.KIND), (NODE_ROOT, KUBERNETES, NETWORK_PLUGINS, COREDNS)
)


def ensure_loaded() -> None:
    """Bring the image back into a Docker that has lost it."""
    if not docker("images", "--quiet", name()).strip():
        say("  node-image: loading it")
        run("node-load", ["docker", "load", "--input", NODE_IMAGE.directory / "image.tar"], environment=environment())
