# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PodDisruptionBudgets as their controller would show them."""

from __future__ import annotations

import typing as t

from unit.support.recorded import Object


def budget(
    name: str,
    allowed: int,
    selected: t.Mapping[str, str] | None = None,
    healthy: int = 4,
    needed: int = 4,
    broken: str = "",
    observed: int = 1,
) -> Object:
    """Return a budget over the pods of the set `web`; `broken` is why it could not be evaluated."""
    reason = "SyncFailed" if broken else ("SufficientPods" if allowed else "InsufficientPods")
    return {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-of-{name}", "generation": 1},
        "spec": {"minAvailable": needed, "selector": {"matchLabels": dict(selected or {"app": "web"})}},
        "status": {
            "observedGeneration": observed,
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": needed,
            "expectedPods": 4,
            "conditions": [{"type": "DisruptionAllowed", "status": "True" if allowed else "False", "reason": reason, "message": broken}],
        },
    }
