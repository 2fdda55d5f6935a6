# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a watch has seen, as a test says it."""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._watch import Watch
from unit.support.clock import FakeClock
from unit.support.recorded import Object


class Watched(Watch):
    """A watch that follows nothing: its objects are those that it is given by key."""

    def __init__(self, **objects: t.Sequence[Object]) -> None:
        clock = FakeClock()
        super().__init__(Api(Connection(server="http://127.0.0.1:1"), clock), clock, Deadline.after(clock, 100))
        self._given = objects

    def objects(self, key: str) -> tuple[Object, ...]:
        return tuple(self._given.get(key, ()))
