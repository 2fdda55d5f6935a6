# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Every reason that a diagnosis may give: what it says, what to do, and whether it ends a wait. docs/diagnosis.md shows this table.

The words are Kubernetes' and KubeVirt's own where they have one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One reason: its word, its sentence for one object and for several, and what to do.

    The sentences are filled with ``name``, ``count``, ``seconds`` and ``detail``. ``fatal``: waiting is of no use while it lasts;
    ``can_heal``: it may go away by itself.
    """

    word: str
    one: str
    many: str
    hint: str
    fatal: bool = False
    can_heal: bool = True


def _now(word: str, one: str, hint: str) -> Reason:
    """A reason that ends a wait at once."""
    return Reason(word, one, "", hint, fatal=True, can_heal=False)


def _lasting(word: str, one: str, hint: str, many: str = "") -> Reason:
    """A reason that ends a wait once it has lasted."""
    return Reason(word, one, many, hint, fatal=True)


def _telling(word: str, one: str, hint: str, many: str = "") -> Reason:
    """A reason that ends no wait, and explains why one took too long."""
    return Reason(word, one, many, hint)


# What stops everything

NAMESPACE_TERMINATING = _now(
    "NamespaceTerminating", "its namespace is being deleted", "Wait until the namespace is gone and create it again, or use another one."
)
BEING_DELETED = _now(
    "BeingDeleted",
    "the set {detail}, and not by this task",
    "Find out who deletes it: somebody else, its owner, or whoever deletes its namespace.",
)
VIRT_CONTROLLER_DOWN = _lasting(
    "VirtControllerDown",
    "virt-controller has not renewed its lease for {seconds} s",
    "Look at the virt-controller pods in KubeVirt's namespace: without them no set and no VMI changes.",
)
VIRT_API_DOWN = _lasting(
    "VirtApiDown",
    "virt-api does not answer, so no VMI can be created",
    "Look at the virt-api pods in KubeVirt's namespace, and at the network between them and the API server.",
)
WEBHOOK_DOWN = _lasting(
    "WebhookDown",
    "an admission webhook does not answer, so nothing can be created",
    "Look at the service that the webhook's configuration names.",
)
REPLICA_PAUSED = _lasting(
    "ReplicaPaused",
    "the set is paused, so VMIs are neither created nor deleted",
    'Resume it with "paused: false" (spec.paused).',
)

# What holds a rollout

DISRUPTION_BUDGET_BROKEN = _lasting(
    "DisruptionBudgetBroken",
    "the PodDisruptionBudget {name} allows no disruption, since it cannot be evaluated",
    "Give the PodDisruptionBudget a whole number as minAvailable: Kubernetes cannot evaluate anything else for VMIs. "
    'Or set "disruption_budgets: ignore".',
)
DISRUPTION_BUDGET = _telling(
    "DisruptionBudget",
    "the PodDisruptionBudget {name} allows no disruption",
    'Wait until more pods are healthy, lower its minAvailable, or set "disruption_budgets: ignore".',
)
PROGRESS_DEADLINE = _now(
    "ProgressDeadlineExceeded",
    "no further VMI has become available for {seconds} s",
    "Mend the template and roll out again, or go back with state: rolled_back. Where VMs take longer to boot, raise progress_deadline.",
)

# Why VMIs are not created, or their pods

VMI_REJECTED = _lasting(
    "VmiRejected",
    "its VMIs are refused, though the set was accepted",
    "Correct the template: the message says what of it is refused.",
)
QUOTA_EXCEEDED = _lasting(
    "QuotaExceeded",
    "{detail} exceeds a quota",
    "Raise the ResourceQuota that the message names, ask for less, or remove something else from the namespace.",
    "{count} VMIs exceed a quota",
)
POD_SECURITY = _lasting(
    "PodSecurity",
    "the launcher pod of VMI {name} violates the namespace's Pod Security",
    "Give the namespace the label pod-security.kubernetes.io/enforce: privileged, or use a namespace that has it.",
    "the launcher pods of {count} VMIs violate the namespace's Pod Security",
)
POD_REJECTED = _lasting(
    "PodRejected",
    "the launcher pod of VMI {name} is refused by admission",
    "Correct the template, or the policy that the message names.",
    "the launcher pods of {count} VMIs are refused by admission",
)
FAILED_PVC_NOT_FOUND = _lasting(
    "FailedPvcNotFound",
    "a volume of VMI {name} does not exist",
    "Create the PersistentVolumeClaim or DataVolume that the message names, or correct the template's volumes.",
    "a volume of {count} VMIs does not exist",
)

# Why VMIs do not start, or do not stay

CRASH_LOOP = _now(
    "CrashLoop",
    "VMIs end and are replaced again and again ({detail})",
    "Look at the console and the log of a launcher pod, and correct the template: the guest or its definition is at fault.",
)
UNSCHEDULABLE = _lasting(
    "Unschedulable",
    "VMI {name} cannot be scheduled",
    "Add nodes or room on them, or change what the template asks for: resources, nodeSelector, affinity, tolerations.",
    "{count} VMIs cannot be scheduled",
)
IMAGE_PULL = _lasting(
    "ImagePullFailed",
    "an image of VMI {name} cannot be pulled",
    "Check the image's name in the template, that the registry has it, and the pull secret.",
    "an image of {count} VMIs cannot be pulled",
)
PAUSED_IO_ERROR = _lasting(
    "PausedIOError",
    "VMI {name} is paused after an I/O error",
    "Look at its storage: a full or lost volume stops a guest. It goes on with virtctl unpause.",
    "{count} VMIs are paused after an I/O error",
)
PAUSED_BY_USER = _lasting(
    "PausedByUser",
    "VMI {name} is paused",
    "Let it go on with virtctl unpause, or delete it: the set replaces it.",
    "{count} VMIs are paused",
)
NODE_LOST = _telling(
    "NodeLost",
    "the node of VMI {name} is not ready ({detail})",
    "Bring the node back; the set replaces the VMI once its pod is evicted, five minutes later by default.",
    "the node of {count} VMIs is not ready ({detail})",
)
LAUNCHER_DIED = _telling(
    "LauncherDied",
    "the launcher pod of VMI {name} has ended",
    "The set replaces the VMI. Look at the pod's events: eviction and lack of memory are common causes.",
    "the launcher pods of {count} VMIs have ended",
)
VMI_ENDED = _telling(
    "VmiEnded",
    "VMI {name} has ended ({detail})",
    "The set replaces it. If that goes on, look at the console and the log of its launcher pod.",
    "{count} VMIs have ended ({detail})",
)
PAUSED = _telling(
    "Paused",
    "VMI {name} is paused ({detail})",
    "Wait until the migration that paused it is over.",
    "{count} VMIs are paused ({detail})",
)
GUEST_NOT_RUNNING = _telling(
    "GuestNotRunning",
    "the guest of VMI {name} has not come up for {seconds} s",
    "Look at the log of its launcher pod, and at virt-handler on its node.",
    "the guests of {count} VMIs have not come up for up to {seconds} s",
)
NOT_READY = _telling(
    "NotReady",
    "VMI {name} runs and is not ready ({detail})",
    "Look at its readiness probe, and at what it asks of the guest.",
    "{count} VMIs run and are not ready ({detail})",
)
CONTAINER_WAITING = _telling(
    "ContainerWaiting",
    "a container of VMI {name} does not start ({detail})",
    "Look at the events of its launcher pod.",
    "containers of {count} VMIs do not start ({detail})",
)
NOT_SYNCHRONIZED = _telling(
    "NotSynchronized",
    "VMI {name} is not as its spec says ({detail})",
    "The message is KubeVirt's own: correct what it names.",
    "{count} VMIs are not as their spec says ({detail})",
)
REPLICA_FAILURE = _telling(
    "ReplicaFailure",
    "virt-controller cannot create or delete VMIs ({detail})",
    "virt-controller tries again, less and less often; the message says what stands in its way.",
)
NOT_SCHEDULED = _telling(
    "NotScheduled",
    "no scheduler has looked at the launcher pod of VMI {name} for {seconds} s",
    "Look at kube-scheduler, and at the template's schedulerName.",
    "no scheduler has looked at the launcher pods of {count} VMIs for up to {seconds} s",
)
STILL_STARTING = _telling(
    "StillStarting",
    "VMI {name} is {detail} for {seconds} s",
    "Look at the events of its launcher pod: a large image takes its time.",
    "{count} VMIs are {detail} for up to {seconds} s",
)
STILL_TERMINATING = _telling(
    "StillTerminating",
    "VMI {name} shuts down for {seconds} s ({detail})",
    "A guest without ACPI is killed only when its grace period is over; later, look at its launcher pod and its node.",
    "{count} VMIs shut down for up to {seconds} s ({detail})",
)
SELECTOR_OVERLAP = _telling(
    "SelectorOverlap",
    "VMI {name} matches the selector and belongs to {detail}",
    "Give each set labels of its own: an autoscaler counts the pods of both, and orphans go to whichever set comes first.",
    "{count} VMIs match the selector and belong to {detail}",
)
VMI_ADOPTED = _telling(
    "VmiAdopted",
    "VMI {name} was not created by this set, which adopted it",
    "It may have another template: delete it, and the set replaces it.",
    "{count} VMIs were not created by this set, which adopted them",
)

# The autoscaler

TARGET_NOT_FOUND = _lasting(
    "TargetNotFound", "its target does not exist", "Create the target, or correct the target of the autoscaler (spec.scaleTargetRef)."
)
NO_SCALE = _lasting(
    "NoScaleSubresource",
    "its target cannot be scaled: it has no scale subresource",
    "Name a VirtualMachineInstanceReplicaSet of apiVersion kubevirt.io/v1 as the target (spec.scaleTargetRef).",
)
REPLICAS_MISSING = _lasting(
    "ReplicasMissing",
    "its target has no spec.replicas, so it cannot be scaled",
    "Set the replicas of the target once; the autoscaler changes them from then on.",
)
AMBIGUOUS_SELECTOR = _lasting(
    "AmbiguousSelector",
    "several autoscalers control the same pods ({detail})",
    "Keep one of the autoscalers, or give their targets labels and selectors of their own.",
)
INVALID_SELECTOR = _lasting(
    "InvalidSelector",
    "its target has no usable selector",
    "Give the target a selector that is not empty, and labels in its template that match.",
)
SCALING_DISABLED = _lasting(
    "ScalingDisabled",
    "its target has 0 replicas, which turns it off",
    "Set the replicas of the target to 1 or more.",
)
METRICS_API_DOWN = _lasting(
    "MetricsApiDown",
    "the {detail} API is missing or does not answer",
    "Install metrics-server (for other metrics their adapter), or look at its pods and its APIService.",
)
MISSING_REQUEST = _lasting(
    "MissingRequest",
    "a container has no request to compare with ({detail})",
    'Scale by ContainerResource of container "compute", or give that container a request.',
)
CONTAINER_NOT_FOUND = _lasting(
    "ContainerNotFound",
    "no pod has the container that it scales by ({detail})",
    'Correct the container of its metrics: a virtual machine runs in "compute".',
)
FAILED_UPDATE_SCALE = _telling(
    "FailedUpdateScale",
    "it cannot change the replicas of its target",
    "Its controller tries again; the message says what stands in its way.",
)
FAILED_GET_SCALE = _telling(
    "FailedGetScale", "it cannot read the scale of its target", "Its controller tries again every few seconds; the message is its own."
)
FAILED_METRIC = _telling(
    "FailedComputeMetricsReplicas", "it cannot compute a replica count", "Correct what the message names of its metrics."
)
NO_METRICS_YET = _telling(
    "NoMetricsYet",
    "there are no metrics of its pods yet",
    "Wait: figures of a new pod come within a minute; if not, look at metrics-server.",
)
NO_PODS = _telling("NoPods", "no pod matches the selector of its target", "Wait until the target has VMIs, or find out why it has none.")
NOT_OBSERVED = _telling(
    "NotObserved",
    "its controller has not looked at it for {seconds} s",
    "Look at kube-controller-manager: its autoscaler controller is slow, or does not run.",
)
GUEST_MAY_NOT_HAVE_BOOTED = _telling(
    "GuestMayNotHaveBooted",
    "the guest of VMI {name} may never have booted: it is under load since it started ({detail})",
    "Look at its console: Ready follows the launcher and not the guest, and one that reboots again and again looks like load.",
    "the guests of {count} VMIs may never have booted: they are under load since they started ({detail})",
)
COMPLETED_PODS = _telling(
    "CompletedPods",
    "launcher pod {name} is completed and still counts as a pod at its full request",
    "Delete the pod: it is left from a live migration, and keeps the autoscaler from scaling down.",
    "{count} launcher pods are completed and still count as pods at their full request",
)
FOREIGN_PODS = _telling(
    "ForeignPods",
    "pod {name} matches the selector and runs no VMI of the target",
    "Change the labels of that pod, or the selector: the autoscaler counts it.",
    "{count} pods match the selector and run no VMI of the target",
)
POD_METRICS_MISSING = _telling(
    "PodMetricsMissing",
    "there are no metrics of pod {detail}",
    "Look at metrics-server and at the kubelet of the pod's node: a pod without metrics counts as busy when scaling down.",
    "there are no metrics of {count} pods ({detail})",
)
TOO_MANY_REPLICAS = _telling(
    "TooManyReplicas", "it is held at its maximum of {detail}", "Raise max_replicas (spec.maxReplicas) if it is to go on."
)
SCALE_LIMIT = _telling(
    "ScaleLimit", "its scaling policies slow it down ({detail})", "Change the policies in spec.behavior if it is to be faster."
)
STABILIZED = _telling(
    "Stabilized",
    "it holds {detail} replicas for its stabilization window of {seconds} s",
    "Wait, or shorten the window in spec.behavior.",
)
TOO_FEW_REPLICAS = _telling(
    "TooFewReplicas", "it is held at its minimum of {detail}", "Lower min_replicas (spec.minReplicas) if it is to go on."
)

WARNING = _telling("Warning", "{detail}", "Look at the events of the object for more.", "{detail}, for {count} objects")

# The most telling first.
REASONS = (
    NAMESPACE_TERMINATING,
    BEING_DELETED,
    VIRT_CONTROLLER_DOWN,
    VIRT_API_DOWN,
    WEBHOOK_DOWN,
    REPLICA_PAUSED,
    DISRUPTION_BUDGET_BROKEN,
    VMI_REJECTED,
    QUOTA_EXCEEDED,
    POD_SECURITY,
    POD_REJECTED,
    FAILED_PVC_NOT_FOUND,
    CRASH_LOOP,
    UNSCHEDULABLE,
    IMAGE_PULL,
    PAUSED_IO_ERROR,
    PAUSED_BY_USER,
    TARGET_NOT_FOUND,
    NO_SCALE,
    REPLICAS_MISSING,
    AMBIGUOUS_SELECTOR,
    INVALID_SELECTOR,
    SCALING_DISABLED,
    METRICS_API_DOWN,
    MISSING_REQUEST,
    CONTAINER_NOT_FOUND,
    PROGRESS_DEADLINE,
    DISRUPTION_BUDGET,
    NODE_LOST,
    LAUNCHER_DIED,
    VMI_ENDED,
    REPLICA_FAILURE,
    CONTAINER_WAITING,
    NOT_SYNCHRONIZED,
    GUEST_NOT_RUNNING,
    NOT_READY,
    PAUSED,
    NOT_SCHEDULED,
    STILL_STARTING,
    STILL_TERMINATING,
    FAILED_UPDATE_SCALE,
    FAILED_GET_SCALE,
    FAILED_METRIC,
    NO_PODS,
    NO_METRICS_YET,
    NOT_OBSERVED,
    GUEST_MAY_NOT_HAVE_BOOTED,
    COMPLETED_PODS,
    FOREIGN_PODS,
    POD_METRICS_MISSING,
    TOO_MANY_REPLICAS,
    SCALE_LIMIT,
    STABILIZED,
    SELECTOR_OVERLAP,
    VMI_ADOPTED,
    TOO_FEW_REPLICAS,
    WARNING,
)
