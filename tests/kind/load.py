# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real load: a process that burns CPU inside a guest."""

from __future__ import annotations

import json

from dev.processes import say
from kind.cluster import Cluster
from kind.console import console

# A busy guest shows several hundred percent of what its pod requests, so one is enough for a set of a few; there is no finer dial.
BUSY_FROM_PERCENT = 50
_BURN = "(while :; do :; done) >/dev/null 2>&1 & echo $! >>/tmp/burning"
_REST = "[ -f /tmp/burning ] && kill $(cat /tmp/burning); rm -f /tmp/burning"


def set_load(cluster: Cluster, namespace: str, replica_set: str, percent: float) -> None:
    """Let the oldest guest of a set burn CPU at 50 % and more, and none of them below."""
    owned = [
        instance
        for instance in json.loads(cluster.kubectl("get", "vmis", "-n", namespace, "-o", "json"))["items"]
        if any(owner["name"] == replica_set for owner in instance["metadata"].get("ownerReferences", ()))
        and instance.get("status", {}).get("phase") == "Running"
        and "deletionTimestamp" not in instance["metadata"]
    ]
    names = [instance["metadata"]["name"] for instance in sorted(owned, key=lambda instance: instance["metadata"]["creationTimestamp"])]
    if not names:
        raise LookupError(f"no VMI of {replica_set} is running in the namespace {namespace}")
    is_busy = percent >= BUSY_FROM_PERCENT
    for position, name in enumerate(names):
        with console(cluster.kubeconfig("admin"), namespace, name) as shell:
            shell.run(_REST)
            if is_busy and position == 0:
                shell.run(_BURN)
    say(f"{names[0]} burns CPU" if is_busy else f"none of {len(names)} guests burns CPU")
