# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The arguments of every module, in one place, for both shells.

The authentication options are kubernetes.core's own.
"""

from __future__ import annotations

import copy
import typing as t
from collections import Counter
from dataclasses import dataclass, field

from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._redact import (
    HIDDEN,
    kubeconfig_secrets,
    redact,
    secret_values,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._removal import (
    NOT_READY_FIRST,
    ROLLOUT_ORDERS,
    SCALE_IN_ORDERS,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task

Spec = dict[str, dict[str, t.Any]]
Operation = t.Callable[[Task], Result]


def _auth() -> Spec:
    spec = copy.deepcopy(AUTH_ARG_SPEC)
    # As a secret, every word inside a kubeconfig would be blanked out of every message; the engine hides what is secret in it.
    spec["kubeconfig"]["no_log"] = False
    return t.cast(Spec, spec)


_OBJECT: Spec = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    "src": {"type": "path"},
    "definition": {"type": "raw", "aliases": ["resource_definition"]},
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
}
_FLEET: Spec = {
    "fleet": {"type": "str"},
    "prune": {"type": "bool", "default": False},
    "prune_namespaces": {"type": "list", "elements": "str", "default": []},
    "on_failure": {"type": "str", "choices": ["continue", "stop"], "default": "continue"},
}
_WAIT: Spec = {
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
    "wait_grace": {"type": "int", "default": 5},
    "quiet": {"type": "bool", "default": False},
}
_TARGET: Spec = {
    "target": {
        "type": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "kind": {"type": "str", "default": "VirtualMachineInstanceReplicaSet"},
            "api_version": {"type": "str", "default": "kubevirt.io/v1"},
        },
    }
}
_DESCRIBE: Spec = {"describe": {"type": "str", "choices": ["current", "legacy"], "default": "current"}}
_BOUNDS: Spec = {"min_replicas": {"type": "int"}, "max_replicas": {"type": "int"}}
_ROLLOUT: Spec = {
    "max_unavailable": {"type": "str", "default": "25%"},
    "order": {"type": "str", "choices": list(ROLLOUT_ORDERS), "default": NOT_READY_FIRST},
    "pause_between": {"type": "int", "default": 0},
    "batch_timeout": {"type": "int", "default": 600},
    "progress_deadline": {"type": "int", "default": 300},
    "min_ready_seconds": {"type": "int", "default": 0},
    "disruption_budgets": {"type": "str", "choices": ["respect", "ignore"], "default": "respect"},
    "revision_history_limit": {"type": "int", "default": 10},
}
_CHOICE: Spec = {
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    "label_selectors": {"type": "list", "elements": "str", "default": []},
}


@dataclass(frozen=True)
class Module:
    """What a shell needs to know of the arguments of a module."""

    arguments: Spec
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()

    @property
    def argument_spec(self) -> Spec:
        """The arguments with those of the authentication."""
        return {**_auth(), **copy.deepcopy(self.arguments)}


@dataclass(frozen=True)
class Outcome:
    """How an operation ended; a failure is a result with ``failed`` and ``msg``."""

    result: Result
    warnings: tuple[str, ...] = field(default=())


MODULES: dict[str, Module] = {
    "vmirs": Module(
        {
            **_OBJECT,
            **_FLEET,
            "replicas": {"type": "int"},
            "selector": {"type": "dict"},
            "template": {"type": "dict"},
            "paused": {"type": "bool"},
            "replicas_when_autoscaled": {"type": "str", "choices": ["keep", "set", "fail"], "default": "keep"},
            "template_hash": {"type": "bool", "default": True},
            "allow_selector_change": {"type": "bool", "default": False},
            "orphan": {"type": "bool", "default": False},
            "rollout": {"type": "bool", "default": False},
            **_ROLLOUT,
            **_WAIT,
        },
        mutually_exclusive=(("src", "definition"),),
        required_one_of=(("name", "src", "definition", "fleet"),),
    ),
    "vmirs_info": Module(dict(_CHOICE), mutually_exclusive=(("name", "label_selectors"),)),
    "vmirs_scale": Module(
        {
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str"},
            "replicas": {"type": "int"},
            "remove": {"type": "list", "elements": "str"},
            "scale_in_order": {"type": "str", "choices": list(SCALE_IN_ORDERS)},
            "replicas_when_autoscaled": {"type": "str", "choices": ["fail", "keep", "set"], "default": "fail"},
            "autoscaler_bounds": {"type": "str", "choices": ["keep", "widen"], "default": "keep"},
            **_WAIT,
            "wait": {"type": "bool", "default": True},
        },
        required_one_of=(("replicas", "remove"),),
    ),
    "vmirs_rollout": Module(
        {
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str"},
            "state": {"type": "str", "choices": ["updated", "restarted", "rolled_back"], "default": "updated"},
            "restart_id": {"type": "str"},
            "revision": {"type": "int"},
            **_ROLLOUT,
            "wait_grace": _WAIT["wait_grace"],
            "quiet": _WAIT["quiet"],
        },
    ),
    "hpa": Module(
        {
            **_OBJECT,
            **_FLEET,
            **_TARGET,
            **_BOUNDS,
            "target_cpu_utilization": {"type": "int"},
            "metrics": {"type": "list", "elements": "dict"},
            "behavior": {"type": "dict"},
            "require_target": {"type": "bool", "default": True},
            "require_metrics_api": {"type": "bool", "default": True},
            **_WAIT,
        },
        mutually_exclusive=(("src", "definition"), ("metrics", "target_cpu_utilization")),
        required_one_of=(("name", "src", "definition", "fleet"),),
    ),
    "hpa_info": Module({**_CHOICE, **_DESCRIBE}, mutually_exclusive=(("name", "label_selectors"),)),
    "hpa_verify": Module(
        {
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str"},
            **_TARGET,
            **_BOUNDS,
            "current_replicas": {"type": "int"},
            "not_limited": {"type": "bool", "default": False},
            **_DESCRIBE,
            **_WAIT,
            "wait": {"type": "bool", "default": True},
        },
    ),
}


def run(operation: Operation, task: Task) -> Outcome:
    """Run the operation of a module; a failure of the engine becomes a failed result."""
    try:
        result = dict(operation(task))
    except EngineError as error:
        result = {"changed": False, **error.facts, "failed": True, "msg": error.message}
    warnings = [*result.pop("warnings", ())]
    if task.retries:
        warnings += _say_retries(task.retries)
    return Outcome(result, tuple(warnings))


def _say_retries(retries: t.Sequence[str]) -> list[str]:
    """What a task went through: ``METHOD PATH: TROUBLE`` each, told by trouble, and what it had to look at again and again."""
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._watch import POLL_SECONDS, POLLED

    polled = sorted({retry[len(POLLED) :] for retry in retries if retry.startswith(POLLED)})
    said = [
        f'Watching {resource} is not allowed, so they were looked at every {POLL_SECONDS:.0f} s: grant the verb "watch".'
        for resource in polled
    ]
    begun = [retry for retry in retries if not retry.startswith(POLLED)]
    if begun:
        troubles = Counter(retry.partition(": ")[2] for retry in begun)
        told = ", ".join(f"{trouble} ({number} {'time' if number == 1 else 'times'})" for trouble, number in troubles.most_common())
        what = "1 request or watch had" if len(begun) == 1 else f"{len(begun)} requests or watches had"
        said.append(f"{what} to be begun again: {told}. Last: {begun[-1].partition(': ')[0]}.")
    return said


def shown_arguments(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The parameters as a result may show them: no cloud-init data, no kubeconfig that was given as a mapping."""
    shown = t.cast("dict[str, t.Any]", redact(params))
    if isinstance(shown.get("kubeconfig"), dict):
        shown["kubeconfig"] = HIDDEN
    for option in ("definition", "resource_definition"):
        # Nobody looks into a text for what is secret in it.
        if isinstance(shown.get(option), str):
            shown[option] = HIDDEN
        elif isinstance(shown.get(option), list):
            shown[option] = [HIDDEN if isinstance(each, str) else each for each in shown[option]]
    return shown


def hidden_values(params: t.Mapping[str, t.Any]) -> set[str]:
    """The secret texts in the parameters that their argument specification does not mark."""
    return secret_values(params) | kubeconfig_secrets(params.get("kubeconfig"))
