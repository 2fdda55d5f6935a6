# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The description of a real autoscaler, compared with what kubectl printed of it at the same time (fixtures/real).

Its events were not recorded as objects. They are made here from the recorded history of its status, and merged as the event recorder
merges them, so that nothing of the expected text goes in.
"""

from __future__ import annotations

import itertools
import typing as t
from datetime import datetime, timedelta

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._describe import describe
from unit.support.kubectl import clock
from unit.support.recorded import REAL, Object, load, real_autoscaler, real_text

STATES = sorted(path.parent.name for path in REAL.glob("*/describe-hpa.txt"))
UP = "cpu resource utilization (percentage of request) above target"
DOWN = "All metrics below target"
# kubectl described the autoscaler first, and the clock was read a little later.
LATEST_CLOCK = 3


class Version(t.TypedDict):
    """One version of the autoscaler, as a watch saw it."""

    type: str
    desired: int
    lastScaleTime: str | None
    conditions: list[tuple[str, str, str, str]]


def versions() -> list[Version]:
    """Return the versions of the autoscaler; the watch began with another one of the same name."""
    history: list[Version] = load(REAL / "hpa-conditions-history.json")
    begins = max(index for index, version in enumerate(history) if version["type"] == "ADDED")
    return history[begins:]


def rescales(until: datetime) -> list[Object]:
    """Return the events of all rescales up to a moment."""
    events: dict[str, Object] = {}
    for before, after in itertools.pairwise(versions()):
        at = after["lastScaleTime"]
        has_rescaled = any(reason == "SucceededRescale" for _kind, _status, reason, _message in after["conditions"])
        if not has_rescaled or at is None or datetime.fromisoformat(at) > until:
            continue
        message = f"New size: {after['desired']}; reason: {UP if after['desired'] > before['desired'] else DOWN}"
        new = {"type": "Normal", "reason": "SuccessfulRescale", "message": message, "firstTimestamp": at, "count": 0}
        event = events.setdefault(message, {**new, "source": {"component": "horizontal-pod-autoscaler"}})
        event.update(lastTimestamp=at, count=event["count"] + 1)
    return list(events.values())


def descriptions(state: str) -> list[str]:
    """Return the description at each second at which kubectl may have printed its own."""
    moments = [clock(state) - timedelta(seconds=seconds) for seconds in range(LATEST_CLOCK + 1)]
    return [describe(real_autoscaler(state), rescales(now), now) for now in moments]


def test_every_state_with_an_autoscaler_was_described() -> None:
    assert len(STATES) == 8
    assert sorted(path.parent.name for path in REAL.glob("*/hpa-v2.json")) == STATES


@pytest.mark.parametrize("state", STATES)
def test_a_real_autoscaler_is_described_as_kubectl_described_it(state: str) -> None:
    assert real_text(state, "describe-hpa") in descriptions(state)


@pytest.mark.parametrize(
    ("state", "sizes"),
    [
        ("idle", []),
        ("scaling-up-early", [("5", 1)]),
        ("back-to-min", [("5", 1), ("3", 1)]),
        ("stuck-at-4-after-migration", [("5", 2), ("3", 1), ("4", 1)]),
    ],
)
def test_the_rescales_come_from_the_history_of_the_status(state: str, sizes: list[tuple[str, int]]) -> None:
    assert [(event["message"][10], event["count"]) for event in rescales(clock(state))] == sizes
