# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""One task as the engine sees it, whichever shell runs it: parameters in, result or ``EngineError`` out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Clock, Deadline, SystemClock
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import resolve
from ansible_collections.vmscale.kubevirt.plugins.module_utils._documents import Given, read_definition, read_files
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError

Result = dict[str, t.Any]


def _say_nothing(line: str) -> None:
    """Progress of a task that nobody watches."""


@dataclass(frozen=True)
class Task:
    """The validated parameters of a task and the world around it.

    ``environ`` is the task's environment (its ``environment:`` keyword included); ``report`` gets one line per change while waiting;
    ``is_diff_wanted``: the result is to have a ``diff``;
    ``files`` are the names and texts of the files of ``src`` where the shell has read them; ``retries`` fills up with what had to be sent
    again.
    """

    params: t.Mapping[str, t.Any]
    environ: t.Mapping[str, str]
    check_mode: bool = False
    report: t.Callable[[str], None] = _say_nothing
    clock: Clock = field(default_factory=SystemClock)
    retries: list[str] = field(default_factory=list)
    files: tuple[tuple[str, str], ...] | None = None
    is_diff_wanted: bool = False

    @property
    def is_waiting(self) -> bool:
        """True where the task has been asked to wait, and can: in check mode nothing will change."""
        return bool(self.params.get("wait")) and not self.check_mode

    @property
    def wait_grace(self) -> float:
        """For how many seconds a wait bears with what is wrong and may heal."""
        grace = self.params.get("wait_grace")
        return 5.0 if grace is None else float(grace)

    def say(self, line: str) -> None:
        """Report progress, unless nobody wants to know; in check mode nothing is on its way."""
        if not self.check_mode and not self.params.get("quiet"):
            self.report(line)

    def connect(self) -> tuple[Api, Deadline]:
        """A client for the cluster that the parameters name, and the task's deadline. Sends nothing yet."""
        timeout = self.params.get("wait_timeout")
        if timeout is not None and timeout < 0:
            raise OptionError(f'"wait_timeout" is {timeout}: it must be a number of seconds, 0 or more.')
        if self.wait_grace < 0:
            raise OptionError(f'"wait_grace" is {self.wait_grace:.0f}: it must be a number of seconds, 0 or more.')
        api = Api(resolve(self.params, self.environ), self.clock, self.retries)
        deadline = Deadline.after(self.clock, float(120 if timeout is None else timeout))
        api.retry_until(deadline)
        return api, deadline

    def given(self) -> Given | None:
        """What ``definition`` or ``src`` describes; None where neither is given. Raises ``OptionError``."""
        if self.params.get("definition") is not None:
            return read_definition(self.params["definition"])
        if self.params.get("src"):
            return read_files(str(self.params["src"]), self.files)
        return None
