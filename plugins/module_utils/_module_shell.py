# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The remote shell: the engine in a module process, wherever the task's connection leads."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.vmscale.kubevirt.plugins.module_utils._arguments import (
    MODULES,
    Operation,
    hidden_values,
    run,
    shown_arguments,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Task


class _QuietModule(AnsibleModule):
    """A module that keeps its parameters to itself, in the system log and where they are refused: templates carry cloud-init data."""

    def _log_invocation(self) -> None:
        self.log(f"Invoked for {self.params.get('namespace') or 'the default namespace'}/{self.params.get('name') or ''}")

    def _return_formatted(self, kwargs: dict[str, t.Any]) -> None:
        self.no_log_values |= hidden_values(self.params)
        kwargs.setdefault("invocation", {"module_args": shown_arguments(self.params)})
        super()._return_formatted(kwargs)


def run_module(name: str, operation: Operation) -> None:
    """Run the module ``name``, which does ``operation``, to its end."""
    specification = MODULES[name]
    module = _QuietModule(
        argument_spec=specification.argument_spec,
        mutually_exclusive=[list(group) for group in specification.mutually_exclusive],
        required_one_of=[list(group) for group in specification.required_one_of],
        supports_check_mode=True,
    )
    module.no_log_values |= hidden_values(module.params)
    task = Task(params=module.params, environ=dict(os.environ), check_mode=module.check_mode, is_diff_wanted=module._diff)
    outcome = run(operation, task)
    for warning in outcome.warnings:
        module.warn(warning)
    result = {**outcome.result, "invocation": {"module_args": shown_arguments(module.params)}}
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
