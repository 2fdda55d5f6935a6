# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The trace sees what breaks a rollout's promises; what else proves them would prove nothing."""

from __future__ import annotations

from integration.support.api import Api
from integration.support.cluster import Cluster
from integration.support.fleet import quick_set, start
from integration.support.trace import Trace

NAME = "web"


def test_a_trace_sees_who_went_and_how_many_were_left(api: Api, cluster: Cluster, namespace: str) -> None:
    there = start(api, namespace, quick_set(NAME, 3))
    start(api, namespace, quick_set("other", 1))
    with Trace(cluster.admin, namespace, NAME) as trace:
        for name in there[:2]:
            api.delete("vmis", namespace, name)
        trace.until("two to be replaced", lambda moment: moment.ready == 3)
        once = trace.history
        api.delete("vmis", namespace, once.born[0].name)
        trace.until("one to be replaced again", lambda moment: moment.ready == 3 and len(trace.history.born) == 3)
        api.merge("vmirs", namespace, NAME, {"spec": {"replicas": 2}})
        trace.until("one to be gone", lambda moment: moment.desired == 2 and len(moment.instances) == 2)

    history = trace.history
    assert (once.removed, once.replaced_twice) == (there[:2], [])
    assert {each.name for each in history.first_instances} == {*there}
    assert history.removed[:3] == [*there[:2], once.born[0].name]
    assert history.replaced_twice[0] == once.born[0].name
    assert history.least_ready in (1, 2)
    assert (history.least_ready == 1) == bool(history.floor_breaches(1))
    assert history.floor_breaches(0)
    assert history.floor_breaches(3) == []
    assert [moment.desired for moment in history.moments][-1] == 2
    assert "3 -> 2 wanted" in history.text()
