# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kind cluster: one control plane and two workers, without KubeVirt, which the role `kubevirt` brings."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from dev.paths import CHECKOUT
from dev.processes import say
from kind import engine, node_image, pins
from kind.engine import INSIDE, docker
from kind.host import Way, ensure_packages, has_kvm
from kind.images import ALL, GUEST, GUEST_IMAGE, KUBEVIRT_IMAGES, METRICS_SERVER, OTHER_GUEST_IMAGE
from kind.programs import KIND, KUBERNETES, KUBEVIRT, REGISTRY
from kind.steps import ensure
from kind.workspace import CACHE, KindError, ask, run, state
from sandbox.builder import KUBERNETES as SANDBOX_KUBERNETES
from sandbox.builder import ensure_binaries
from sandbox.files import write_atomically

NAME = "vmscale-kubevirt"
WORKERS = 2
OPERATOR = "vmscale-operator"
_API_PORT = 16443
_REGISTRY_PORT = 5000
_READY_SECONDS = 180.0
# Where manifests of the quick start and of the tests say that the images of guests are, and their tags there.
_SERVED_REGISTRIES = ("docker.io", "quay.io")
_SERVED_TAGS = ("latest", pins.KUBEVIRT)


class Cluster:
    """The cluster in one of the ways that a machine allows."""

    def __init__(self, way: Way) -> None:
        if way.source == "none":
            raise KindError(way.reason)
        self.is_built = way.source == "built"
        self.environment: Mapping[str, str] = engine.environment() if self.is_built else {}

    def make_images(self) -> None:
        """Make everything that does not need a cluster."""
        CACHE.mkdir(parents=True, exist_ok=True)
        if not self.is_built:
            ensure(KIND)
            return
        ensure_packages()
        engine.ensure_engine()
        for step in ALL:
            ensure(step)

    def up(self) -> None:
        """Bring it up unless its API answers, and write what the scenario needs to know."""
        self.make_images()
        if not self.is_up():
            self._create()
        write_atomically(state() / "variables.yml", yaml.safe_dump(self._variables()))

    def down(self) -> None:
        """Remove it; images stay."""
        if self.is_built and not engine.answers():
            return
        if KIND.is_made:
            self._kind("kind-delete", "delete", "cluster", "--name", NAME)
        for user in ("admin", "operator"):
            self.kubeconfig(user).unlink(missing_ok=True)
        if self.is_built:
            engine.end("registry")
            engine.stop_engine()

    def is_up(self) -> bool:
        if not self.kubeconfig("operator").exists() or (self.is_built and not engine.answers()):
            return False
        try:
            self.kubectl("get", "--raw", "/readyz")
        except KindError:
            return False
        return True

    def kubeconfig(self, user: str) -> Path:
        return state() / f"{user}.kubeconfig"

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl as the admin."""
        return ask(self.kubectl_command(*arguments), environment={"KUBECONFIG": str(self.kubeconfig("admin"))}, text=text)

    def kubectl_command(self, *arguments: str) -> list[str]:
        if self.is_built:
            kubectl = state() / "kubectl"
            kubectl.unlink(missing_ok=True)
            kubectl.symlink_to(KUBERNETES.directory / "kubernetes")
        else:
            kubectl = ensure_binaries(say, (SANDBOX_KUBERNETES,))["kubectl"]
        return [str(kubectl), *arguments]

    def _kind(self, what: str, *arguments: str) -> None:
        run(what, [KIND.directory / "kind", *arguments], environment={**self.environment, "KUBECONFIG": str(self.kubeconfig("admin"))})

    def _create(self) -> None:
        began = time.monotonic()
        state().mkdir(parents=True, exist_ok=True)
        if self.is_built:
            node_image.ensure_loaded()
        self._kind("kind-delete", "delete", "cluster", "--name", NAME)
        configuration = state() / "kind.yml"
        write_atomically(configuration, yaml.safe_dump(self._configuration()))
        self._kind("kind-create", "create", "cluster", "--config", str(configuration), "--retain")
        if self.is_built:
            nodes = self._connect_nodes()
            self._load_images()
            self._serve_guests(list(nodes))
        self.kubectl("wait", "node", "--all", "--for=condition=Ready", f"--timeout={_READY_SECONDS:.0f}s")
        self.kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", f"--timeout={_READY_SECONDS:.0f}s")
        self._introduce_operator()
        say(f"  cluster: up in {time.monotonic() - began:.0f} s")

    def _configuration(self) -> dict[str, Any]:
        roles = ["control-plane", *["worker"] * WORKERS]
        if not self.is_built:
            return {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "name": NAME, "nodes": [{"role": role} for role in roles]}
        return {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "name": NAME,
            "networking": {"ipFamily": "ipv4", "disableDefaultCNI": True, "apiServerAddress": INSIDE, "apiServerPort": _API_PORT},
            "nodes": [{"role": role, "image": node_image.name()} for role in roles],
            "kubeadmConfigPatches": ["kind: KubeletConfiguration\nfailCgroupV1: false\n"],
        }

    def _connect_nodes(self) -> dict[str, str]:
        """Do what kind's own network plugin does, a bridge on each node and routes to the others; returns the nodes' addresses."""
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            nodes = json.loads(self.kubectl("get", "nodes", "-o", "json"))["items"]
            if len(nodes) == 1 + WORKERS and all("podCIDR" in node["spec"] and _address(node) for node in nodes):
                break
            if time.monotonic() > deadline:
                raise KindError("the nodes got no ranges of pod addresses")
            time.sleep(1)
        ranges = {node["metadata"]["name"]: node["spec"]["podCIDR"] for node in nodes}
        addresses = {node["metadata"]["name"]: _address(node) for node in nodes}
        for node, pods in ranges.items():
            _write_on(node, "/etc/cni/net.d/10-bridge.conflist", json.dumps(_network(pods)))
            for other in ranges:
                if other != node:
                    docker("exec", node, "ip", "route", "replace", ranges[other], "via", addresses[other])
        return addresses

    def _load_images(self) -> None:
        for archive in (KUBEVIRT_IMAGES, METRICS_SERVER):
            self._kind(f"kind-load-{archive.name}", "load", "image-archive", str(archive.directory / "images.tar"), "--name", NAME)

    def _serve_guests(self, nodes: list[str]) -> None:
        """Serve the images of guests from a registry, since `:latest` is pulled each time."""
        networks = json.loads(docker("network", "inspect", "kind"))[0]["IPAM"]["Config"]
        gateway = next(network["Gateway"] for network in networks if "." in network.get("Gateway", ""))
        if not engine.is_running("registry"):
            engine.start("registry", engine.inside([str(REGISTRY.directory / "registry"), f"0.0.0.0:{_REGISTRY_PORT}"]))
        hosts = f'[host."http://{gateway}:{_REGISTRY_PORT}"]\n  capabilities = ["pull", "resolve"]\n'
        for node in nodes:
            for registry in _SERVED_REGISTRIES:
                _write_on(node, f"/etc/containerd/certs.d/{registry}/hosts.toml", hosts)
        run("guest-load", ["docker", "load", "--input", GUEST.directory / "images.tar"], environment=self.environment)
        for image, tag in product((GUEST_IMAGE, OTHER_GUEST_IMAGE), _SERVED_TAGS):
            served = f"127.0.0.1:{_REGISTRY_PORT}/{image.rpartition(':')[0]}:{tag}"
            docker("tag", image, served)
            run("guest-push", ["docker", "push", "--quiet", served], environment=self.environment)

    def _introduce_operator(self) -> None:
        """Make a user who has just the rights that the collection documents."""
        self.kubectl("apply", "-f", str(CHECKOUT / "playbooks/files/rbac.yml"))
        self.kubectl("-n", "kube-system", "create", "serviceaccount", OPERATOR)
        roles = yaml.safe_load_all((CHECKOUT / "playbooks/files/rbac.yml").read_text(encoding="utf-8"))
        for role in (document for document in roles if document and document["kind"] == "ClusterRole"):
            name = role["metadata"]["name"]
            self.kubectl(
                "create", "clusterrolebinding", f"{OPERATOR}-{name}", f"--clusterrole={name}", f"--serviceaccount=kube-system:{OPERATOR}"
            )
        token = self.kubectl("-n", "kube-system", "create", "token", OPERATOR, "--duration=8760h").strip()
        content = yaml.safe_load(self.kubeconfig("admin").read_text(encoding="utf-8"))
        content["users"] = [{"name": content["users"][0]["name"], "user": {"token": token}}]
        write_atomically(self.kubeconfig("operator"), yaml.safe_dump(content))

    def _variables(self) -> dict[str, Any]:
        """Return the variables of the role `kubevirt` that this cluster takes."""
        variables: dict[str, Any] = {"kubevirt_metrics_server_kubelet_insecure_tls": True}
        if self.is_built:
            # Nodes may offer a /dev/kvm that cannot run guests.
            variables["kubevirt_emulation"] = "auto" if has_kvm() else True
            variables["kubevirt_operator_manifest"] = str(KUBEVIRT.directory / "operator.yaml")
            variables["kubevirt_metrics_server_manifest"] = str(METRICS_SERVER.directory / "metrics-server.yaml")
        if not _has_dummy_links():
            # KubeVirt's bridge binding, its default, makes a dummy link.
            variables["kubevirt_configuration"] = {"network": {"defaultNetworkInterface": "masquerade"}}
        return variables


def _address(node: Mapping[str, Any]) -> str:
    return next((address["address"] for address in node["status"].get("addresses", ()) if address["type"] == "InternalIP"), "")


def _network(pods: str) -> dict[str, Any]:
    addresses = {"type": "host-local", "ranges": [[{"subnet": pods}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": False, "hairpinMode": True, "ipam": addresses}
    return {"cniVersion": "1.0.0", "name": "bridge", "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]}


def _write_on(node: str, path: str, text: str) -> None:
    docker("exec", "--interactive", node, "sh", "-ec", f"mkdir -p $(dirname {path}); cat > {path}", text=text)


def _has_dummy_links() -> bool:
    if os.geteuid() != 0:
        return True
    try:
        ask(["ip", "link", "add", "vmscale-dummy", "type", "dummy"])
    except KindError:
        return False
    ask(["ip", "link", "delete", "vmscale-dummy"])
    return True
