# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of the bench: each kind of work with its contestants and targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.figures import Row
from bench.ground import Ground
from bench.rows import creation, fleets, growth, latency, others, single

Measure = Callable[[Ground, int, Row], None]


@dataclass(frozen=True)
class Kind:
    """A row that can be measured."""

    title: str
    measure: Measure


ROWS: Mapping[str, Kind] = {
    "noop": Kind("`vmirs` on the seed, nothing to change, local shell", single.measure_local),
    "module": Kind("the same as a module (remote shell)", single.measure_module),
    "loop": Kind("a loop of 20 sets, nothing to change", fleets.measure_loop),
    "play": Kind("the seed play: ensure the set, wait, ensure the autoscaler, verify; nothing to change", single.measure_play),
    "create": Kind("60 sets of 3 VMIs, create and wait until all are ready, one task", creation.measure),
    "fleet": Kind("60 sets, nothing to change, one task", fleets.measure_fleet),
    "latency": Kind("from ready in the cluster to the end of the task's wait", latency.measure),
    "growth": Kind("1, 10, 50, 100, 200 sets of 1 VMI, one task", growth.measure),
    "start": Kind("a play of one task with nothing to change, as a whole process", others.measure_start),
    "scale": Kind("scale a set, without waiting", others.measure_scale),
    "info": Kind("read one set", others.measure_info),
}
