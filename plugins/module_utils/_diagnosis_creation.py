# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Why VMIs or their launcher pods are not created, read from the words of the API server and of those who refuse."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _diagnosis_reasons as reasons
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Symptom
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_events import is_about, is_recent, last_seen, text_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_reasons import Reason
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_scene import Scene
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import INSTANCES, REPLICA_SETS, Object, condition, moment, name_of

_EVENT_PREFIX = "Error creating virtual machine instance: "
_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+)?[a-zA-Z]*")

# The first that matches. Sources: apiserver pkg/admission/plugin/webhook/errors (webhooks), kubernetes
# plugin/pkg/admission/namespace/lifecycle, apiserver pkg/admission/plugin/resourcequota, pod-security-admission.
_WORDS: tuple[tuple[str, Reason | None], ...] = (
    (r"because it is being terminated|namespaces \"[^\"]*\" not found", reasons.NAMESPACE_TERMINATING),
    (r"failed calling webhook \"[^\"]*kubevirt\.io\"", reasons.VIRT_API_DOWN),
    (r"failed calling webhook", reasons.WEBHOOK_DOWN),
    (r"exceeded quota", reasons.QUOTA_EXCEEDED),
    (r"violates PodSecurity", reasons.POD_SECURITY),
    (r"denied the request|is forbidden|is invalid|failed create validation", None),
)


_NO_ACCOUNT = "error looking up service account"


def refused(message: str, refusal: Reason) -> Reason | None:
    """The reason in what was said about a creation that failed; ``refusal`` where admission just refuses it, None where it is none."""
    for pattern, reason in _WORDS:
        if re.search(pattern, message):
            return reason or refusal
    return None


def set_failures(scene: Scene) -> t.Iterator[Symptom]:
    """VMIs that the set cannot create or delete: ReplicaFailure, and FailedCreate where the condition is dropped or was never refreshed.

    Source: kubevirt pkg/virt-controller/watch/replicaset/replicaset.go (scale, updateStatus).
    """
    live = scene.situation.replica_set
    if live is None:
        return
    word, message = _last_failure(scene, live)
    if not message:
        return
    reason = refused(message, reasons.VMI_REJECTED) if word == "FailedCreate" else None
    yield Symptom(
        reason or reasons.REPLICA_FAILURE,
        REPLICA_SETS.kind,
        name_of(live),
        message=message,
        detail="its next VMI" if reason else word,
        is_fatal=False if reason is reasons.QUOTA_EXCEEDED and scene.frees_room else None,
    )


def _last_failure(scene: Scene, live: Object) -> tuple[str, str]:
    """Reason and message of what failed last: the condition keeps the first message for as long as it lasts."""
    failure = condition(live, "ReplicaFailure")
    is_failing = failure.get("status") == "True"
    said, when = (str(failure.get("reason") or ""), str(failure.get("message") or "")), moment(failure.get("lastTransitionTime"))
    if not is_failing:
        said, when = ("", ""), None
    if not scene.is_growing:
        return said
    for event in scene.situation.events:
        seen = last_seen(event)
        is_failure = (
            event.get("reason") == "FailedCreate" and is_about(event, live, REPLICA_SETS.kind) and is_recent(event, scene.situation)
        )
        if not is_failure or seen is None:
            continue
        text = text_of(event)
        candidate = "FailedCreate", text[len(_EVENT_PREFIX) :] if text.startswith(_EVENT_PREFIX) else text
        if when is None or (seen, candidate) > (when, said):
            said, when = candidate, seen
    return said


def pod_failures(scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A launcher pod that cannot be created: Synchronized is False with FailedCreate.

    Source: kubevirt pkg/virt-controller/watch/vmi/lifecycle.go (sync).
    """
    found = condition(instance, "Synchronized")
    if found.get("status") != "False" or found.get("reason") not in ("FailedCreate", "FailedCreateValidation"):
        return
    message = str(found.get("message") or "")
    reason = refused(message, reasons.POD_REJECTED)
    if reason is None:
        return
    is_quota = reason is reasons.QUOTA_EXCEEDED
    # A namespace gets its service account a moment after it is made.
    heals_soon = (is_quota and scene.frees_room) or _NO_ACCOUNT in message
    yield Symptom(
        reason,
        INSTANCES.kind,
        name_of(instance),
        message=message,
        detail=f"the launcher pod of VMI {name_of(instance)}",
        is_fatal=False if heals_soon else None,
        group=quantities_apart(message) if is_quota else None,
    )


def quantities_apart(message: str) -> str:
    """A message without what differs from one attempt to the next: names of pods, and counts."""
    return _NUMBERS.sub("#", re.sub(r"virt-launcher-[a-z0-9.-]+", "*", message))
