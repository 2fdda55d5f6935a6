# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of what users get wrong, and the sentence that each gets."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integration.support.ansible import Task
from integration.support.api import Object
from integration.support.manifests import autoscaler, replica_set

SET = "VirtualMachineInstanceReplicaSet"
SCALER = "HorizontalPodAutoscaler"
SETS = "virtualmachineinstancereplicasets.kubevirt.io"


@dataclass(frozen=True)
class Row:
    """One thing that is wrong. In options and message, <words> stand for what differs from run to run; ... for any text."""

    what: str
    module: str
    options: Mapping[str, Any]
    message: str

    def task(self, values: Mapping[str, str]) -> Task:
        """Return the task, which goes on to the next where it fails as it should."""
        return {"name": self.what, f"vmscale.kubevirt.{self.module}": _filled(self.options, values), "ignore_errors": True}

    def is_message(self, text: str, values: Mapping[str, str]) -> bool:
        pattern = ".*".join(re.escape(part) for part in str(_filled(self.message, values)).split("..."))
        return re.fullmatch(pattern, text, re.DOTALL) is not None


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for word, content in values.items():
            value = value.replace(f"<{word}>", content)
        return value
    if isinstance(value, Mapping):
        return {key: _filled(content, values) for key, content in value.items()}
    if isinstance(value, list):
        return [_filled(entry, values) for entry in value]
    return value


def changed(base: Object, path: str, value: Any) -> Object:
    """Return a copy of a manifest with the value at a dotted path replaced."""
    found = copy.deepcopy(base)
    *parents, last = path.split(".")
    holder = found
    for key in parents:
        holder = holder[key]
    holder[last] = value
    return found


WEB = replica_set("web", 1)
TWO_DISKS = [{"name": name, "disk": {"bus": "virtio"}} for name in ("one", "two")]
HPA = autoscaler("web", "web", 1, 3)
TYPED = {"name": "web", "target": {"name": "live"}, "max_replicas": 3}
TOKEN = {"host": "<server>", "ca_cert": "<ca>"}
CREDENTIALS = 'the token, password or certificate from the option or variable "host" and its credentials is wrong or has expired.'

CONNECTION = (
    Row(
        "no cluster at the address",
        "vmirs",
        {"name": "web", "replicas": 1, "host": "https://127.0.0.1:1", "api_key": "some-token"},
        'No Kubernetes API server answers at https://127.0.0.1:1 (from the option or variable "host" and its credentials): connection '
        'refused. Check the address in "host" or "kubeconfig".',
    ),
    Row(
        "a host that does not exist",
        "hpa",
        {"name": "web", "max_replicas": 1, "host": "https://cluster.invalid", "api_key": "some-token"},
        'No Kubernetes API server answers at https://cluster.invalid (from the option or variable "host" and its credentials): the name '
        'cannot be resolved. Check the address in "host" or "kubeconfig".',
    ),
    Row(
        "an address without https://",
        "vmirs",
        {"name": "web", "replicas": 1, "host": "127.0.0.1:6443", "api_key": "some-token"},
        '"127.0.0.1:6443" is no address of an API server: write it as https://HOST:PORT ("host").',
    ),
    Row(
        "a wrong token",
        "vmirs",
        {"name": "web", "replicas": 1, **TOKEN, "api_key": "wrong-token"},
        f"The API server at <server> does not accept these credentials (401 Unauthorized): {CREDENTIALS}",
    ),
    Row(
        "an expired token",
        "hpa_info",
        {"name": "web", **TOKEN, "api_key": "<expired>"},
        f"The API server at <server> does not accept these credentials (401 Unauthorized): {CREDENTIALS}",
    ),
    Row(
        "a wrong CA certificate",
        "vmirs",
        {"name": "web", "replicas": 1, **TOKEN, "ca_cert": "<wrong-ca>", "api_key": "some-token"},
        'TLS with <server> (from the option or variable "host" and its credentials) failed: ...CERTIFICATE_VERIFY_FAILED... Check '
        '"ca_cert", "client_cert" and "validate_certs".',
    ),
    Row(
        "no CA certificate",
        "hpa",
        {"name": "web", "max_replicas": 1, "host": "<server>", "api_key": "some-token"},
        'TLS with <server> (from the option or variable "host" and its credentials) failed: ...CERTIFICATE_VERIFY_FAILED... Check '
        '"ca_cert", "client_cert" and "validate_certs".',
    ),
    Row(
        "a CA certificate that does not exist",
        "vmirs",
        {"name": "web", "replicas": 1, **TOKEN, "ca_cert": "<files>/none.crt", "api_key": "some-token"},
        "...<files>/none.crt...",
    ),
    Row(
        "a kubeconfig that does not exist",
        "vmirs",
        {"name": "web", "replicas": 1, "kubeconfig": "<files>/none.yaml"},
        'The file "<files>/none.yaml" that the option "kubeconfig" names does not exist on this machine.',
    ),
    Row(
        "a kubeconfig that is not YAML",
        "vmirs",
        {"name": "web", "replicas": 1, "kubeconfig": "<files>/broken.yaml"},
        'The kubeconfig "<files>/broken.yaml" is not YAML.',
    ),
    Row(
        "a context that does not exist",
        "vmirs_info",
        {"name": "web", "context": "none"},
        'kubeconfig <kubeconfig> has no context named "none".',
    ),
    Row(
        "a user without rights",
        "vmirs",
        {"name": "web", "replicas": 1, "kubeconfig": "<nobody>"},
        f'User "vmscale-nobody" may not get {SETS} in namespace "<namespace>": a Role or ClusterRole must grant the verb "get" on {SETS}.',
    ),
    Row(
        "a user who may only read",
        "vmirs",
        {"definition": WEB, "kubeconfig": "<admin>", "impersonate_user": "reader"},
        f'User "reader" may not patch {SETS} in namespace "<namespace>": a Role or ClusterRole must grant the verb "patch" on {SETS}.',
    ),
    Row(
        "a user who may not delete",
        "vmirs",
        {"name": "live", "state": "absent", "kubeconfig": "<admin>", "impersonate_user": "reader"},
        f'User "reader" may not delete {SETS} in namespace "<namespace>": a Role or ClusterRole must grant the verb "delete" on {SETS}.',
    ),
    Row(
        "a user who may not read VMIs",
        "vmirs_info",
        {"name": "live", "kubeconfig": "<admin>", "impersonate_user": "reader"},
        'User "reader" may not list virtualmachineinstances.kubevirt.io in namespace "<namespace>": a Role or ClusterRole must grant the '
        'verb "list" on virtualmachineinstances.kubevirt.io.',
    ),
    Row(
        "a cluster without KubeVirt",
        "vmirs",
        {"definition": WEB, "namespace": "default", "kubeconfig": "<admin>", "host": "<bare>"},
        f"KubeVirt is not installed on <bare>: its API serves no {SETS}.",
    ),
    Row(
        "a cluster without KubeVirt, asked for a list",
        "vmirs_info",
        {"namespace": "default", "kubeconfig": "<admin>", "host": "<bare>"},
        f"KubeVirt is not installed on <bare>: its API serves no {SETS}.",
    ),
    Row(
        "a cluster without the metrics API",
        "hpa",
        {"definition": HPA, "namespace": "default", "require_target": False, "kubeconfig": "<admin>", "host": "<bare>"},
        f"{SCALER} default/web scales by CPU or memory, and the metrics API (metrics.k8s.io) is not installed on <bare> or does not "
        'answer: install metrics-server, or set "require_metrics_api: false" to create the autoscaler ahead of it.',
    ),
    Row(
        "a namespace that does not exist",
        "vmirs",
        {"definition": WEB, "namespace": "none"},
        'Namespace "none" does not exist: create it first, or name another one with the option "namespace".',
    ),
    Row(
        "a namespace that does not exist, for an autoscaler",
        "hpa",
        {"definition": HPA, "namespace": "none", "require_target": False},
        'Namespace "none" does not exist: create it first, or name another one with the option "namespace".',
    ),
)

MANIFESTS = (
    Row(
        "a file that does not exist",
        "vmirs",
        {"src": "<files>/none.yaml"},
        'The file "<files>/none.yaml" that the option "src" names does not exist on this machine.',
    ),
    Row(
        "a file that is not YAML",
        "vmirs",
        {"src": "<files>/broken.yaml"},
        '"src" ...broken.yaml is not YAML (line 2, column 9): did not find expected ...',
    ),
    Row("an empty file", "vmirs", {"src": "<files>/empty.yaml"}, f'"src" ...empty.yaml holds no object: it must be one {SET}.'),
    Row(
        "a file with another kind beside the set",
        "vmirs",
        {"src": "<files>/two.yaml"},
        f'"src" ...two.yaml holds 2 objects ({SET}, Pod): it must be exactly one {SET}.',
    ),
    Row(
        "a file with another kind",
        "vmirs",
        {"src": "<files>/autoscaler.yaml"},
        f'"src" ...autoscaler.yaml holds a {SCALER}: it must be one {SET}.',
    ),
    Row("a definition of another kind", "hpa", {"definition": WEB}, f'"definition" holds a {SET}: it must be one {SCALER}.'),
    Row(
        "another API version",
        "vmirs",
        {"definition": WEB | {"apiVersion": "kubevirt.io/v2"}},
        f'"definition" has the apiVersion "kubevirt.io/v2": a {SET} is written as kubevirt.io/v1 or kubevirt.io/v1alpha3.',
    ),
    Row(
        "a definition that is a mere text",
        "vmirs",
        {"definition": "web"},
        '"definition" is no Kubernetes object: it holds a text where a mapping must be.',
    ),
    Row("src and definition", "vmirs", {"src": "<files>/web.yaml", "definition": WEB}, "parameters are mutually exclusive: src|definition"),
    Row("neither a name nor a manifest", "vmirs", {"replicas": 1}, "one of the following is required: name, src, definition, fleet"),
    Row(
        "a definition without a name",
        "vmirs",
        {"definition": changed(WEB, "metadata", {})},
        'The object has no name: give "name", or metadata.name in "definition" or "src".',
    ),
    Row(
        "a name that is none",
        "vmirs",
        {"definition": WEB | {"metadata": {"name": "Web_1"}}},
        'The name "Web_1" is not a DNS-1123 subdomain: lower case letters, digits, "-" and ".", starting and ending with a letter or '
        "digit, at most 253 characters.",
    ),
    Row(
        "a namespace that is none",
        "hpa",
        {"definition": HPA, "namespace": "my.space"},
        'The namespace "my.space" is not a DNS-1123 label: lower case letters, digits and "-", starting and ending with a letter or '
        "digit, at most 63 characters.",
    ),
    Row(
        "definition and options that contradict each other",
        "vmirs",
        {"definition": WEB, "replicas": 5, "name": "other"},
        'The options contradict each other: the option "name" is "other" and metadata.name in "definition" is "web"...',
    ),
    Row(
        "definition and replicas that contradict each other",
        "vmirs",
        {"definition": WEB, "replicas": 5},
        'The options contradict each other: the option "replicas" is 5 and spec.replicas in "definition" is 1. Say it in one place.',
    ),
    Row(
        "a label that is no text",
        "vmirs",
        {"definition": WEB | {"metadata": {"name": "web", "labels": {"version": 1.1}}}},
        'metadata.labels "version" is 1.1, which is no text: put it in quotes.',
    ),
    Row(
        "an autoscaler in v1 with a field of v2",
        "hpa",
        {"definition": changed(HPA, "apiVersion", "autoscaling/v1")},
        'spec of "definition" has metrics, which autoscaling/v1 does not know: write autoscaling/v2.',
    ),
)

OPTIONS = (
    Row(
        "an option that does not exist",
        "vmirs",
        {"name": "web", "replica": 3},
        "Unsupported parameters for (vmscale.kubevirt.vmirs) module: replica. Supported parameters include: ...",
    ),
    Row(
        "a state that does not exist",
        "vmirs",
        {"name": "web", "state": "there"},
        "value of state must be one of: present, absent, got: there",
    ),
    Row("negative replicas", "vmirs", {"name": "live", "replicas": -1}, '"replicas" (spec.replicas) is -1: it must be 0 or more.'),
    Row(
        "replicas that are no number",
        "vmirs",
        {"name": "live", "replicas": "many"},
        "argument 'replicas' is of type str and we were unable to convert to int: ...",
    ),
    Row(
        "replicas in the manifest that are no number",
        "vmirs",
        {"definition": changed(WEB, "spec.replicas", "many")},
        '"replicas" (spec.replicas) is "many", which is not a whole number.',
    ),
    Row(
        "a negative wait_timeout",
        "vmirs",
        {"name": "live", "wait_timeout": -1},
        '"wait_timeout" is -1: it must be a number of seconds, 0 or more.',
    ),
    Row(
        "a set without a template",
        "vmirs",
        {"name": "new", "replicas": 1},
        f'{SET} <namespace>/new does not exist, and without "template" (or "definition" or "src") it cannot be created.',
    ),
    Row(
        "a selector that does not match the labels of the template",
        "vmirs",
        {"definition": changed(WEB, "spec.selector", {"matchLabels": {"app": "other"}})},
        '"selector" does not match the labels of "template": the selector wants app=other, and spec.template.metadata.labels has '
        '{"app": "web"}.',
    ),
    Row(
        "an empty selector",
        "vmirs",
        {"definition": changed(WEB, "spec.selector", {})},
        '"selector" (spec.selector) is missing or empty: an empty one would adopt every VirtualMachineInstance of the namespace. Give '
        "matchLabels that the template's labels carry.",
    ),
    Row(
        "another selector for a live set",
        "vmirs",
        {"definition": changed(replica_set("live", 0), "spec", replica_set("other", 0)["spec"])},
        f'"selector" of {SET} <namespace>/live would change from app=live to app=other: KubeVirt would let go of the running '
        'VirtualMachineInstances and start new ones beside them. If that is meant, set "allow_selector_change: true".',
    ),
    Row(
        "a template that KubeVirt refuses for two reasons",
        "vmirs",
        {"definition": changed(changed(WEB, "spec.template.spec.volumes", []), "spec.template.spec.domain.devices.disks", TWO_DISKS)},
        f'{SETS} "<namespace>/web" is refused by admission webhook "virtualmachinereplicaset-validator.kubevirt.io": '
        "spec.template.spec.domain.devices.disks[0].name: ...'one' not found.; spec.template.spec.domain.devices.disks[1].name: ...'two' "
        "not found.",
    ),
    Row(
        "a field that does not exist",
        "vmirs",
        {"definition": changed(WEB, "spec.template.spec.domain.cpus", 2)},
        f'{SETS} "<namespace>/web" is refused by the API server: spec.template.spec.domain.cpus: field not declared in schema',
    ),
    Row(
        "a field of the wrong type",
        "vmirs",
        {"definition": changed(WEB, "spec.paused", "perhaps")},
        f'{SETS} "<namespace>/web" is refused by the API server: ...spec.paused...',
    ),
    Row(
        "a minimum above the maximum",
        "hpa",
        {"name": "web", "target": {"name": "live"}, "min_replicas": 5, "max_replicas": 3},
        '"min_replicas" (5) is above "max_replicas" (3): it must not be greater.',
    ),
    Row(
        "a minimum above the maximum in the manifest",
        "hpa",
        {"definition": changed(HPA, "spec.minReplicas", 5)},
        '"min_replicas" (5) is above "max_replicas" (3): it must not be greater.',
    ),
    Row("a maximum of 0", "hpa", {**TYPED, "max_replicas": 0}, '"max_replicas" (spec.maxReplicas) is 0: it must be 1 or more.'),
    Row(
        "no maximum",
        "hpa",
        {"name": "web", "target": {"name": "live"}, "min_replicas": 1},
        '"max_replicas" (spec.maxReplicas) is missing: an autoscaler must know how far it may go.',
    ),
    Row(
        "a target that does not exist",
        "hpa",
        {"definition": HPA},
        f'"target" of {SCALER} <namespace>/web, {SET} <namespace>/web, does not exist: create it first (module vmirs), or set '
        '"require_target: false" to create the autoscaler ahead of it.',
    ),
    Row(
        "a target without a name",
        "hpa",
        {"name": "web", "target": {"kind": "Deployment"}, "max_replicas": 3},
        "missing required arguments: name found in target",
    ),
    Row(
        "an autoscaler without a target",
        "hpa",
        {"name": "web", "max_replicas": 3},
        f'{SCALER} <namespace>/web does not exist, and without "target" (or "definition" or "src") it cannot be created.',
    ),
    Row(
        "a utilization of 0",
        "hpa",
        {**TYPED, "target_cpu_utilization": 0},
        '"target_cpu_utilization" (targetCPUUtilizationPercentage) is 0: it must be 1 or more.',
    ),
    Row(
        "metrics and target_cpu_utilization",
        "hpa",
        {**TYPED, "metrics": [], "target_cpu_utilization": 50},
        "parameters are mutually exclusive: metrics|target_cpu_utilization",
    ),
    Row(
        "a metric that Kubernetes refuses for two reasons",
        "hpa",
        {**TYPED, "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Nonsense"}}}]},
        'horizontalpodautoscalers.autoscaling "<namespace>/web" is refused by the API server: spec.metrics[0].resource.target.type: ...; '
        "spec.metrics[0].resource...",
    ),
    Row(
        "a minimum of 0 where the cluster cannot",
        "hpa",
        {**TYPED, "min_replicas": 0, "target_cpu_utilization": 50},
        'horizontalpodautoscalers.autoscaling "<namespace>/web" is refused by the API server: ...spec.minReplicas: ...must be greater '
        "than or equal to 1...",
    ),
    Row(
        "an autoscaler to verify that does not exist",
        "hpa_verify",
        {"name": "none", "wait": False},
        f"{SCALER} <namespace>/none does not work: {SCALER} <namespace>/none does not exist.",
    ),
    Row("no name to verify", "hpa_verify", {}, "missing required arguments: name"),
    Row(
        "a label selector that is none",
        "vmirs_info",
        {"label_selectors": ["app in web"]},
        f'{SETS} in namespace "<namespace>" is refused by the API server: ...unable to parse requirement...',
    ),
)
