# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processes of a sandbox: how each is started and how it says that it is well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.identities import FRONT_PROXY
from sandbox.ports import LOOPBACK
from sandbox.state import Sandbox


@dataclass(frozen=True)
class Component:
    """A component: its command line, and the path of its health endpoint."""

    name: str
    arguments: tuple[str, ...]
    health: str
    secure: bool = True
    needs: str = "kube-apiserver"
    needs_installation: bool = True


NAMES = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "virt-api",
    "virt-controller",
    "metrics-server",
    "kwok",
)


def components(sandbox: Sandbox, ports: Mapping[str, int]) -> tuple[Component, ...]:
    """Every component of a sandbox, in the order in which they start."""
    return (
        _etcd(sandbox, ports),
        _apiserver(sandbox, ports),
        _controller_manager(sandbox, ports),
        _scheduler(sandbox, ports),
        _virt_api(sandbox, ports),
        _virt_controller(sandbox, ports),
        _metrics_server(sandbox, ports),
        _kwok(sandbox, ports),
    )


def _etcd(sandbox: Sandbox, ports: Mapping[str, int]) -> Component:
    client, peer = (f"http://{LOOPBACK}:{ports[name]}" for name in ("etcd", "etcd-peer"))
    arguments = (
        "--name=sandbox",
        f"--data-dir={sandbox.data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=sandbox={peer}",
        # Losing the machine's power may lose data, ending a process does not.
        "--unsafe-no-fsync",
        "--log-level=warn",
    )
    return Component("etcd", arguments, "/health", secure=False, needs="", needs_installation=False)


def _apiserver(sandbox: Sandbox, ports: Mapping[str, int]) -> Component:
    keys = sandbox.certificates
    arguments = (
        f"--etcd-servers=http://{LOOPBACK}:{ports['etcd']}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={ports['kube-apiserver']}",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--profiling=false",
        "--shutdown-delay-duration=0s",
        "--default-not-ready-toleration-seconds=30",
        "--default-unreachable-toleration-seconds=30",
        *_serving(sandbox),
        f"--client-ca-file={keys / 'ca.crt'}",
        f"--requestheader-client-ca-file={keys / 'front-proxy-ca.crt'}",
        f"--requestheader-allowed-names={FRONT_PROXY}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={keys / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={keys / 'front-proxy-client.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys / 'service-account.pub'}",
        f"--service-account-signing-key-file={keys / 'service-account.key'}",
        f"--audit-policy-file={sandbox.configuration / 'audit-policy.yaml'}",
        f"--audit-log-path={sandbox.audit_log}",
        "--audit-log-format=json",
        "--audit-log-mode=blocking",
        "--audit-log-maxsize=500",
        "--audit-log-maxbackup=1",
    )
    return Component("kube-apiserver", arguments, "/readyz", needs="etcd", needs_installation=False)


def _controller_manager(sandbox: Sandbox, ports: Mapping[str, int]) -> Component:
    keys = sandbox.certificates
    arguments = (
        *_delegating(sandbox, "kube-controller-manager", ports),
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={keys / 'service-account.key'}",
        f"--root-ca-file={keys / 'ca.crt'}",
        # A cluster's own values are minutes; tests cannot wait for those.
        "--horizontal-pod-autoscaler-sync-period=2s",
        "--horizontal-pod-autoscaler-downscale-stabilization=5s",
        "--horizontal-pod-autoscaler-initial-readiness-delay=0s",
        "--horizontal-pod-autoscaler-cpu-initialization-period=0s",
    )
    return Component("kube-controller-manager", arguments, "/healthz")


def _scheduler(sandbox: Sandbox, ports: Mapping[str, int]) -> Component:
    return Component("kube-scheduler", (*_delegating(sandbox, "kube-scheduler", ports), "--leader-elect=false"), "/healthz")


def _virt_api(sandbox: Sandbox, ports: Mapping[str, int]) -> Component:
    keys = sandbox.certificates
    arguments = (
        f"--kubeconfig={sandbox.kubeconfig('virt-api')}",
        f"--listen={LOOPBACK}",
        f"--port={ports['virt-api']}",
        f"--tls-cert-file={keys / 'server.crt'}",
        f"--tls-key-file={keys / 'server.key'}",
        f"--handler-cert-file={keys / 'server.crt'}",
        f"--handler-key-file={keys / 'server.key'}",
    )
    # It prepares itself for seconds before it asks for anything.
    return Component("virt-api", arguments, "/healthz", needs_installation=False)


def _virt_controller(sandbox: Sandbox, ports: Mapping[str, int]) -> Component:
    keys = sandbox.certificates
    arguments = (
        f"--kubeconfig={sandbox.kubeconfig('virt-controller')}",
        f"--listen={LOOPBACK}",
        f"--port={ports['virt-controller']}",
        f"--prom-cert-file={keys / 'server.crt'}",
        f"--prom-key-file={keys / 'server.key'}",
        "--launcher-image=kubevirt/virt-launcher:v1.8.2",
        "--exporter-image=kubevirt/virt-exportserver:v1.8.2",
        # So that a fault can be dialled on a live VMI; its absence there is its absence on the pod.
        "--additional-launcher-annotations-sync=sandbox.vmscale.kubevirt/fault",
    )
    return Component("virt-controller", arguments, "/healthz")


def _metrics_server(sandbox: Sandbox, ports: Mapping[str, int]) -> Component:
    arguments = (
        *_delegating(sandbox, "metrics-server", ports),
        *_serving(sandbox),
        "--kubelet-insecure-tls",
        "--kubelet-use-node-status-port",
        "--kubelet-preferred-address-types=InternalIP",
        "--metric-resolution=10s",
        "--kubelet-request-timeout=5s",
    )
    return Component("metrics-server", arguments, "/livez")


def _kwok(sandbox: Sandbox, ports: Mapping[str, int]) -> Component:
    arguments = (
        f"--kubeconfig={sandbox.kubeconfig('kwok')}",
        f"--config={sandbox.configuration / 'stages.yaml'}",
        "--manage-all-nodes=false",
        "--manage-nodes-with-label-selector=type=kwok",
        "--cidr=10.244.0.0/16",
        f"--node-ip={LOOPBACK}",
        f"--node-port={ports['kwok']}",
        f"--server-address={LOOPBACK}:{ports['kwok']}",
        # With leases, a restarted KWOK would stand idle until those of its predecessor expire.
        "--node-lease-duration-seconds=0",
        "--enable-crds=Metric,ClusterResourceUsage,ResourceUsage",
        # It warns of every node without pods at every scrape.
        "--v=ERROR",
    )
    return Component("kwok", arguments, "/healthz", secure=False)


def _serving(sandbox: Sandbox) -> tuple[str, ...]:
    keys = sandbox.certificates
    return (f"--tls-cert-file={keys / 'server.crt'}", f"--tls-private-key-file={keys / 'server.key'}")


def _delegating(sandbox: Sandbox, name: str, ports: Mapping[str, int]) -> tuple[str, ...]:
    kubeconfig = sandbox.kubeconfig(name)
    return (
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={ports[name]}",
        *(() if name == "metrics-server" else _serving(sandbox)),
    )
