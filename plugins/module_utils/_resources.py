# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The resources that the engine touches, with their paths: nothing is discovered.

Groups and versions: ``kubevirt.io/v1`` (KubeVirt), ``autoscaling/v2``, ``apps/v1``, ``policy/v1`` and core ``v1`` (Kubernetes),
``metrics.k8s.io/v1beta1`` (metrics-server).
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass
from urllib.parse import quote

FIELD_MANAGER = "vmscale.kubevirt"
TEMPLATE_HASH_LABEL = "vmscale.kubevirt/template-hash"
FLEET_LABEL = "vmscale.kubevirt/fleet"
# In a template's annotations: it was stamped so that VMIs of the same template are replaced, and by which restart.
RESTARTED_ANNOTATION = "vmscale.kubevirt/restarted-at"
RESTART_ID_ANNOTATION = "vmscale.kubevirt/restart-id"
# In a set's annotations: the scale-in that has paused it, and the roll back that it has been through.
SCALE_IN_ANNOTATION = "vmscale.kubevirt/scale-in"
ROLLED_BACK_ANNOTATION = "vmscale.kubevirt/rolled-back"
# Of the revisions of a set's template.
REVISION_SET_LABEL = "vmscale.kubevirt/replica-set-uid"
REVISION_NUMBERS_ANNOTATION = "vmscale.kubevirt/revisions"

Object = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Resource:
    """A namespaced resource of the Kubernetes API."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """As an object's ``apiVersion`` says it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As RBAC and ``kubectl`` name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str, name: str = "") -> str:
        """The path of the collection in ``namespace``, or of one object in it."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        path = f"{root}/namespaces/{quote(namespace, safe='')}/{self.plural}"
        return f"{path}/{quote(name, safe='')}" if name else path


REPLICA_SETS = Resource("kubevirt.io", "v1", "virtualmachineinstancereplicasets", "VirtualMachineInstanceReplicaSet")
INSTANCES = Resource("kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance")
AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
EVENTS = Resource("", "v1", "events", "Event")
PODS = Resource("", "v1", "pods", "Pod")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
REVISIONS = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")
DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")


def metadata(live: Object) -> t.Mapping[str, t.Any]:
    """The object's metadata, never None."""
    return live.get("metadata") or {}


def spec(live: Object) -> t.Mapping[str, t.Any]:
    """The object's spec, never None."""
    return live.get("spec") or {}


def status(live: Object) -> t.Mapping[str, t.Any]:
    """The object's status, never None."""
    return live.get("status") or {}


def name_of(live: Object) -> str:
    """The object's name."""
    return str(metadata(live).get("name", ""))


def labels_of(live: Object) -> t.Mapping[str, str]:
    """The object's labels, never None."""
    return metadata(live).get("labels") or {}


def annotations_of(live: Object) -> t.Mapping[str, str]:
    """The object's annotations, never None."""
    return metadata(live).get("annotations") or {}


def template_of(live: Object) -> t.Mapping[str, t.Any]:
    """The set's template, never None."""
    return spec(live).get("template") or {}


def label(resource: Resource, namespace: str, name: str) -> str:
    """How messages name an object: its kind and ``namespace/name``."""
    return f"{resource.kind} {namespace}/{name}"


def is_deleting(live: Object) -> bool:
    """True once a deletion of the object has been asked for."""
    return bool(metadata(live).get("deletionTimestamp"))


def moment(text: t.Any) -> datetime.datetime | None:
    """A time as Kubernetes writes it, whole seconds or fractions of them; None where there is none."""
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"):
        try:
            return datetime.datetime.strptime(str(text), form).replace(tzinfo=datetime.timezone.utc)
        except ValueError:
            continue
    return None


def condition(live: Object, kind: str) -> t.Mapping[str, t.Any]:
    """The condition of type ``kind`` in the object's status, or an empty mapping."""
    for entry in status(live).get("conditions") or []:
        if entry.get("type") == kind:
            return t.cast("t.Mapping[str, t.Any]", entry)
    return {}


def is_owned_by(live: Object, uid: str) -> bool:
    """True where the controller of the object has the UID ``uid``."""
    return any(owner.get("uid") == uid and owner.get("controller") for owner in metadata(live).get("ownerReferences") or [])
