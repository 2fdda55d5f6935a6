# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Keep secrets out of results, diffs and messages.

What counts as secret in a template of virtual machines: cloud-init data (``userData``, ``networkData`` and their base64 forms in
``cloudInitNoCloud`` and ``cloudInitConfigDrive`` volumes), and copies of a whole manifest in annotations.
"""

from __future__ import annotations

import typing as t

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
HIDDEN_CHANGED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER (changed)"
_SECRET_KEYS = frozenset(("userData", "userDataBase64", "networkData", "networkDataBase64"))
_MANIFEST_COPIES = frozenset(("kubectl.kubernetes.io/last-applied-configuration",))
_KUBECONFIG_SECRETS = frozenset(
    ("token", "password", "client-key-data", "client-certificate-data", "refresh-token", "id-token", "access-token")
)
# Shorter values would blank out ordinary words of every message.
_SHORTEST_SECRET = 6


def redact(value: t.Any) -> t.Any:
    """A copy of ``value`` in which every secret is replaced."""
    if isinstance(value, dict):
        return {key: HIDDEN if _is_secret(key, content) else redact(content) for key, content in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(entry) for entry in value]
    return value


def redact_pair(before: t.Any, after: t.Any) -> tuple[t.Any, t.Any]:
    """Redacted copies of both sides of a diff; a secret that differs still shows that it does."""
    if isinstance(before, dict) and isinstance(after, dict):
        left: dict[str, t.Any] = {}
        right: dict[str, t.Any] = {}
        for key, content in before.items():
            if key not in after:
                left[key] = HIDDEN if _is_secret(key, content) else redact(content)
        for key, content in after.items():
            if key not in before:
                right[key] = HIDDEN if _is_secret(key, content) else redact(content)
            elif _is_secret(key, content) or _is_secret(key, before[key]):
                left[key] = HIDDEN
                right[key] = HIDDEN if before[key] == content else HIDDEN_CHANGED
            else:
                left[key], right[key] = redact_pair(before[key], content)
        return left, right
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = [redact_pair(one, other) for one, other in zip(before, after)]
        return [one for one, other in pairs], [other for one, other in pairs]
    return redact(before), redact(after)


def secret_values(value: t.Any, keys: frozenset[str] = _SECRET_KEYS) -> set[str]:
    """The secret strings inside ``value``, to be blanked out of every text."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, content in value.items():
            if key in keys and isinstance(content, str):
                if len(content) >= _SHORTEST_SECRET:
                    found.add(str(content))
            else:
                found |= secret_values(content, keys)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            found |= secret_values(entry, keys)
    return found


def kubeconfig_secrets(value: t.Any) -> set[str]:
    """The secret strings inside a kubeconfig that was given as a mapping."""
    return secret_values(value, _KUBECONFIG_SECRETS)


def _is_secret(key: str, content: t.Any) -> bool:
    return key in _MANIFEST_COPIES or (key in _SECRET_KEYS and content is not None)
