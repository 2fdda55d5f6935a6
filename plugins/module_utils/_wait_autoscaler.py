# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What is watched in order to wait for an autoscaler: itself."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    Object,
    metadata,
    status,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._source import Change, Source, View, known
from ansible_collections.vmscale.kubevirt.plugins.module_utils._timeline import Counts

if t.TYPE_CHECKING:
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding

AUTOSCALER = "autoscaler"
# A controller that has written nothing for two of its periods has nothing else to say: 15 s each, unless somebody chose otherwise.
ACTS_WITHIN_SECONDS = 32.0
_CONDITIONS = ("AbleToScale", "ScalingActive", "ScalingLimited")


class AutoscalerWait:
    """Until an autoscaler's controller acts on it.

    ``changed`` is the autoscaler as it was just written, where its spec is new to the controller. There is no observed generation, but
    the controller writes its status with the version of the object that it read, so a status that is written after our change comes
    from a controller that knows it. Source: kubernetes ``pkg/controller/podautoscaler/horizontal.go``, ``updateStatus``.
    """

    def __init__(self, api: Api, namespace: str, name: str, live: Object | None, changed: Object | None = None) -> None:
        self._api = api
        self._live = live
        self._changed = changed
        self._elapsed = 0.0
        self._base = Situation(namespace, name, since=api.now())

    @property
    def first(self) -> Situation:
        """What is known already."""
        return replace(self._base, autoscaler=self._live, now=self._api.now())

    def sources(self, _view: View) -> list[tuple[Source, Listing | None]]:
        field = f"metadata.name={self._base.name}"
        return [(Source(AUTOSCALER, AUTOSCALERS, self._base.namespace, field_selector=field), known(self._live))]

    def evidence(self, _view: View) -> list[Source]:
        return []

    def learn(self, changes: t.Sequence[Change], elapsed: float) -> None:
        self._elapsed = elapsed
        if self._changed is None:
            return
        mine = [change.after for change in changes if change.key == AUTOSCALER and change.after is not None]
        if any(status(after) != status(self._changed) for after in mine):
            self._changed = None

    def look(self, view: View) -> Situation:
        return replace(self._base, autoscaler=next(iter(view.objects(AUTOSCALER)), None), now=self._api.now())

    def probe(self, _seen: Situation, elapsed: float) -> float | None:
        return ACTS_WITHIN_SECONDS if self._changed is not None and elapsed < ACTS_WITHIN_SECONDS else None

    def unmet(self, seen: Situation) -> t.Sequence[str]:
        reasons = _autoscaler.unmet(seen.autoscaler)
        if not reasons and self._changed is not None and self._elapsed < ACTS_WITHIN_SECONDS:
            reasons.append("its controller has not acted on the change yet")
        return reasons

    def diagnose(self, seen: Situation, is_time_up: bool) -> t.Sequence[Finding]:
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_autoscaler import diagnose_autoscaler

        return diagnose_autoscaler(replace(seen, is_time_up=is_time_up))

    def line(self, seen: Situation) -> str:
        return _autoscaler.progress_line(seen.name, seen.autoscaler, self.unmet(seen))

    def standing(self, _seen: Situation) -> str:
        return ""

    def slowest(self, _seen: Situation) -> str:
        return ""

    def counts(self, seen: Situation) -> Counts:
        return _autoscaler.replicas(seen.autoscaler)

    def states(self, seen: Situation) -> dict[str, str]:
        return _autoscaler.condition_states(seen.autoscaler)


class AutoscalerGoneWait(AutoscalerWait):
    """Until an autoscaler is gone."""

    def look(self, view: View) -> Situation:
        seen = super().look(view)
        is_other = metadata(seen.autoscaler or {}).get("uid") != metadata(self._live or {}).get("uid")
        return replace(seen, autoscaler=None) if is_other else seen

    def unmet(self, seen: Situation) -> t.Sequence[str]:
        if seen.autoscaler is None:
            return []
        finalizers = metadata(seen.autoscaler).get("finalizers") or []
        return [f"it is still there (finalizers: {', '.join(finalizers) or 'none'})"]

    def diagnose(self, _seen: Situation, _is_time_up: bool) -> t.Sequence[Finding]:
        return ()

    def line(self, seen: Situation) -> str:
        return f"{seen.name}: {'gone' if seen.autoscaler is None else 'being deleted'}"
