# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What the user gets back: objects without server noise, diffs of what was asked for, no secrets."""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._redact import redact, redact_pair
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object

_NOISE = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
# Written by KubeVirt's controllers on their own behalf, and by kubectl for its own.
_NOISY_ANNOTATIONS = (
    "kubevirt.io/latest-observed-api-version",
    "kubevirt.io/storage-observed-api-version",
    "kubectl.kubernetes.io/last-applied-configuration",
)


def presentable(live: Object | None) -> dict[str, t.Any]:
    """An object for ``result``: whole, less managed fields and secrets. Empty where there is none."""
    if live is None:
        return {}
    shown = redact(live)
    shown["metadata"] = {key: value for key, value in shown.get("metadata", {}).items() if key != "managedFields"}
    return t.cast("dict[str, t.Any]", shown)


def tidy(live: Object | None) -> dict[str, t.Any]:
    """The part of an object that a user writes: no status, nothing that the server adds. Secrets are still in it."""
    if live is None:
        return {}
    metadata = {key: value for key, value in (live.get("metadata") or {}).items() if key not in _NOISE}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _NOISY_ANNOTATIONS}
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    shown = {key: value for key, value in live.items() if key not in ("metadata", "status")}
    return {**shown, "metadata": metadata}


def diff(before: Object | None, after: Object | None, label: str) -> dict[str, t.Any]:
    """A diff as Ansible shows it, with secrets redacted on both sides."""
    left, right = redact_pair(tidy(before), tidy(after))
    return {"before": left, "after": right, "before_header": label, "after_header": label}


def is_same(before: Object | None, after: Object | None) -> bool:
    """True where nothing that a user writes differs."""
    return tidy(before) == tidy(after)


def sentence(label: str, what: str, reasons: t.Sequence[str]) -> str:
    """``KIND ns/name WHAT: reason; reason.``"""
    text = "; ".join(reason.rstrip(".") for reason in reasons)
    return f"{label} {what}: {text}{'' if text.endswith('?') else '.'}"
