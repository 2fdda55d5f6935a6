# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Events: when, about whom, and whether they still count."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object, metadata, moment, name_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation

_COMBINED = "(combined from similar events): "


def seconds_since(text: t.Any, now: datetime.datetime | None) -> float | None:
    """Seconds from a time of the API until ``now``, None where either is not known."""
    then = moment(text)
    return None if then is None or now is None else (now - then).total_seconds()


def last_seen(event: Object) -> datetime.datetime | None:
    """When an event happened last: both generations of the events API say it in places of their own."""
    texts = ((event.get("series") or {}).get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    found = [each for each in map(moment, texts) if each is not None]
    return max(found) if found else moment(metadata(event).get("creationTimestamp"))


def is_recent(event: Object, situation: Situation) -> bool:
    """True where an event happened since the wait began; older ones are history."""
    seen = last_seen(event)
    return situation.since is None or seen is None or seen >= situation.since.replace(microsecond=0)


def is_about(event: Object, live: Object, kind: str) -> bool:
    """True where an event is about this very object, not an earlier one of the same name."""
    involved = event.get("involvedObject") or {}
    if involved.get("kind") != kind or involved.get("name") != name_of(live):
        return False
    uids = involved.get("uid"), metadata(live).get("uid")
    return not all(uids) or uids[0] == uids[1]


def text_of(event: Object) -> str:
    """What an event says."""
    text = str(event.get("message") or "")
    return text[len(_COMBINED) :] if text.startswith(_COMBINED) else text
