# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All faults that a sandbox has, and which of them are on."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.api import ApiError
from sandbox.components import NAMES
from sandbox.fault import CLUSTER, Fault, Site, Target
from sandbox.fault_cluster import CLUSTER_FAULTS
from sandbox.fault_components import COMPONENT_FAULTS
from sandbox.fault_instances import INSTANCE_FAULTS
from sandbox.fault_namespaces import NAMESPACE_FAULTS
from sandbox.fault_sets import SET_FAULTS
from sandbox.lifecycle import SandboxError, await_health

_OTHERS = (*INSTANCE_FAULTS, *SET_FAULTS, *NAMESPACE_FAULTS, *CLUSTER_FAULTS)
FAULTS = (*_OTHERS, *COMPONENT_FAULTS)


def named(name: str) -> Fault:
    """The fault of a name."""
    return next(fault for fault in FAULTS if fault.name == name)


def heal(site: Site, fault: Fault, target: Target) -> None:
    """Undo a fault; what cannot be undone because a component is down is said, and left to the next time."""
    try:
        fault.end(site, target)
    except (ApiError, TimeoutError) as error:
        site.say(f"{fault.name} {target}".rstrip() + f" is not undone yet ({error}): heal it again when what is down is up")


def heal_all(site: Site) -> bool:
    """Undo all faults, and say whether none is left."""
    if _heal_each(site, COMPONENT_FAULTS):
        # The others need them.
        await_health(site.sandbox, [name for name in NAMES if not site.sandbox.halted(name).exists()])
    _heal_each(site, _OTHERS)
    return not any(on(site, fault) for fault in FAULTS)


def mend(site: Site) -> None:
    """Undo the faults with which parts of the sandbox are not well."""
    _heal_each(site, [fault for fault in FAULTS if fault.stops])


def _heal_each(site: Site, faults: Iterable[Fault]) -> bool:
    """Undo those faults, and say whether any was on."""
    found = [(fault, target) for fault in faults for target in on(site, fault) or ()]
    for fault, target in found:
        site.say(f"healing {fault.name} {target}".rstrip())
        heal(site, fault, target)
    return bool(found)


def on(site: Site, fault: Fault) -> list[Target] | None:
    """Where a fault is on; None if the API server cannot be asked."""
    try:
        return list(fault.where(site))
    except (ApiError, SandboxError):
        return None


def table(site: Site) -> str:
    """The faults for people, with what is on."""
    rows = [("FAULT", "OF A", "ON", "DOES")]
    for fault in FAULTS:
        targets = on(site, fault)
        state = "?" if targets is None else ", ".join(str(target) or "yes" for target in targets)
        rows.append((fault.name, fault.scope if fault.scope != CLUSTER else "cluster", state or "-", fault.text))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows)
