# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that a sandbox puts into its API server before its controllers start."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from sandbox import kubevirt
from sandbox.api import Api, ApiError, Object
from sandbox.components import components
from sandbox.files import write_atomically
from sandbox.identities import OPERATOR_ACCOUNT, OPERATOR_ACCOUNT_NAMESPACE, write_token_kubeconfig
from sandbox.load import idle_usage
from sandbox.nodes import LOST, machine_type, nodes
from sandbox.state import Sandbox

MANIFESTS = Path(__file__).parent / "manifests"
OPERATOR_ROLE = Path(__file__).parents[2] / "playbooks" / "files" / "rbac.yml"
METRICS_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
_TOKEN_LIFETIME = 365 * 24 * 3600


def fingerprint(sandbox: Sandbox) -> str:
    """Changes whenever what is to be installed changes."""
    digest = hashlib.sha256()
    sources = [Path(__file__).with_name(f"{name}.py") for name in ("installation", "kubevirt", "nodes", "load")]
    for path in (*sorted(MANIFESTS.iterdir()), OPERATOR_ROLE, *sources):
        digest.update(path.read_bytes())
    commands = [component.arguments for component in components(sandbox, sandbox.ports())]
    digest.update(json.dumps([commands, {name: str(path) for name, path in sandbox.binaries().items()}]).encode())
    digest.update((sandbox.certificates / "ca.crt").read_bytes())
    return digest.hexdigest()


def write_configuration(sandbox: Sandbox, binaries: Mapping[str, Path]) -> None:
    """Write the files that components are started with."""
    write_atomically(sandbox.configuration / "audit-policy.yaml", (MANIFESTS / "audit-policy.yaml").read_text())
    write_atomically(sandbox.configuration / "stages.yaml", _stages(_kwok_manifests(binaries["kwok-manifests"], sandbox)))


def install(sandbox: Sandbox, ports: Mapping[str, int], binaries: Mapping[str, Path]) -> None:
    """Create or update everything; returns when the API server serves the new kinds."""
    api = Api(sandbox, ports["kube-apiserver"])
    kwok = _kwok_manifests(binaries["kwok-manifests"], sandbox)
    virt = kubevirt.generate(binaries["kubevirt-manifests"], sandbox, ports)
    own = [*_documents([(MANIFESTS / "access.yaml").read_text()]), *_documents([OPERATOR_ROLE.read_text()])]
    definitions = [*virt.definitions, *_documents(kwok["definitions"])]

    _ensure_all(api, [_namespace(name) for name in ("kubevirt", "kube-system", "default")])
    _ensure_all(api, [*definitions, *own, *virt.access, *virt.priorities, *nodes()])
    _wait_until_served(api, definitions)
    configuration = kubevirt.configuration()
    _ensure_all(api, [configuration, idle_usage(), *(_pods_first(metric) for metric in _documents(kwok["metrics"]))])
    status_path = f"/apis/kubevirt.io/v1/namespaces/{kubevirt.NAMESPACE}/kubevirts/kubevirt/status"
    api.request("PATCH", status_path, kubevirt.configuration_status(), "application/merge-patch+json")
    _ensure_all(api, virt.webhooks)
    _ensure_operator_token(api, sandbox, ports["kube-apiserver"])


def aggregate(sandbox: Sandbox, ports: Mapping[str, int]) -> None:
    """Lead the API server to metrics-server, and have it look there anew: left to itself, it waits for a while after a failure."""
    _ensure_all(Api(sandbox, ports["kube-apiserver"]), _aggregation(ports))


def _namespace(name: str) -> Object:
    labels = {"kubevirt.io": ""} if name == kubevirt.NAMESPACE else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _ensure_all(api: Api, wanted: Iterable[Object]) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(api.ensure, wanted):
            pass


def _wait_until_served(api: Api, definitions: list[Object], timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    for definition in definitions:
        name, spec = definition["metadata"]["name"], definition["spec"]
        for version in (version["name"] for version in spec["versions"] if version["served"]):
            while not _is_listed(api, spec["group"], version, spec["names"]["plural"]):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{name} {version} is not served after {timeout:.0f} s")
                time.sleep(0.1)


def _is_listed(api: Api, group: str, version: str, plural: str) -> bool:
    try:
        return api.get(f"/apis/{group}/{version}/{plural}?limit=1") is not None
    except ApiError:
        return False


def _aggregation(ports: Mapping[str, int]) -> list[Object]:
    """The way from the API server to metrics-server: endpoints on loopback are refused, an external name is not."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "metrics-server", "namespace": "kube-system"},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io", "annotations": {"sandbox.vmscale.kubevirt/looked-at": f"{time.time():.3f}"}},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": True,
                "service": {"name": "metrics-server", "namespace": "kube-system", "port": ports["metrics-server"]},
            },
        },
    ]


def _ensure_operator_token(api: Api, sandbox: Sandbox, port: int) -> None:
    path = f"/api/v1/namespaces/{OPERATOR_ACCOUNT_NAMESPACE}/serviceaccounts/{OPERATOR_ACCOUNT}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": _TOKEN_LIFETIME}}
    token = str(api.request("POST", path, request)["status"]["token"])
    write_atomically(sandbox.kubeconfigs / "operator.token", token + "\n")
    write_token_kubeconfig(sandbox, "operator-token", port, token)


def _kwok_manifests(binary: Path, sandbox: Sandbox) -> dict[str, list[str]]:
    printed = subprocess.run([binary], check=True, capture_output=True, env={"HOME": str(sandbox.directory)}).stdout
    manifests: dict[str, list[str]] = json.loads(printed)
    return manifests


def _stages(kwok: Mapping[str, list[str]]) -> str:
    launchers, instances = (
        _documents([(MANIFESTS / name).read_text().replace("MACHINE_TYPE", machine_type())])
        for name in ("launcher-stages.yaml", "vmi-stages.yaml")
    )
    not_launchers = {"key": '.metadata.labels["kubevirt.io"]', "operator": "NotIn", "values": ["virt-launcher"]}
    pods = _sparing(_documents(kwok["pod_stages"]), not_launchers)
    # On a node that is lost, virt-handler is lost as well.
    not_lost = {"key": f'.metadata.annotations["{LOST}"]', "operator": "DoesNotExist"}
    # KWOK may have begun its next heartbeat when it hears that a node is no longer its own, and then goes on.
    found = {"key": f'.metadata.labels["{LOST}"]', "operator": "DoesNotExist"}
    stages = [*_sparing(_documents(kwok["node_stages"]), found), *pods, *launchers, *_sparing(instances, not_lost)]
    return yaml.safe_dump_all(stages, width=10000)


def _sparing(stages: list[Object], others: Object) -> list[Object]:
    for stage in stages:
        stage["spec"]["selector"]["matchExpressions"].append(others)
    return stages


def _pods_first(metric: Object) -> Object:
    """Counters start when first read: with pods read before containers, a pod's first scrape has a container value to count from."""
    metric["spec"]["metrics"].sort(key=lambda series: series["dimension"] != "pod")
    return metric


def _documents(texts: Iterable[str]) -> list[Object]:
    return [document for text in texts for document in yaml.safe_load_all(text) if document]
