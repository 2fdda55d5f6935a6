# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be watched is read when it can explain something, and not otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import resolve
from ansible_collections.vmscale.kubevirt.plugins.module_utils._probes import LeaseProbe, ScaleUpProbe
from unit.support.server import Answer, Request, Script, Server, listening, refusal


@contextmanager
def asking(*script: Script | Callable[[Request], Script]) -> Iterator[tuple[Api, Server]]:
    """Give a client of a server that answers by the script."""
    server = Server(*script)
    with listening(server) as address:
        yield Api(resolve({"host": address, "api_key": "t"}, {})), server


def lease(renewed: str) -> Answer:
    """Return virt-controller's lease."""
    return Answer(200, {"metadata": {"name": "virt-controller"}, "spec": {"renewTime": renewed}})


def test_a_lease_is_stale_once_it_was_seen_not_to_move() -> None:
    with asking(lease("12:00:00"), lease("12:00:00"), lease("12:00:10")) as (api, server):
        probe = LeaseProbe(api)
        assert (probe.look(1, is_wanted=True), len(server.requests)) == (3, 0)
        assert (probe.look(3, is_wanted=True), probe.stale) == (8, None)
        assert (probe.look(7.9, is_wanted=True), len(server.requests)) == (8, 1)
        assert probe.look(8, is_wanted=True) == 13
        assert probe.stale == lease("12:00:00").body
        assert (probe.look(13, is_wanted=True), probe.stale) == (18, None)
    assert server.requests[0].path == "/apis/coordination.k8s.io/v1/namespaces/kubevirt/leases/virt-controller"


def test_a_lease_that_nobody_needs_is_not_asked_for() -> None:
    with asking(lease("12:00:00")) as (api, server):
        assert LeaseProbe(api).look(100, is_wanted=False) is None
    assert server.requests == []


def test_a_lease_that_may_not_be_read_or_is_elsewhere_is_given_up() -> None:
    for answer in (refusal(403, "Forbidden"), refusal(404, "NotFound", name="virt-controller", kind="leases")):
        with asking(answer) as (api, server):
            probe = LeaseProbe(api)
            assert [probe.look(moment, is_wanted=True) for moment in (3, 50)] == [None, None]
        assert (len(server.requests), probe.stale) == (1, None)


def test_events_of_a_node_autoscaler_are_read_while_something_does_not_fit() -> None:
    def answer(request: Request) -> Answer:
        reason = request.query["fieldSelector"].rpartition("=")[2]
        return Answer(200, {"metadata": {"resourceVersion": "1"}, "items": [{"reason": reason}]})

    with asking(answer) as (api, server):
        probe = ScaleUpProbe(api, "default")
        assert (probe.look(2, is_wanted=False), probe.events) == (None, ())
        assert probe.look(2, is_wanted=True) == 6
        assert [event["reason"] for event in probe.events] == ["TriggeredScaleUp", "Nominated"]
        assert (probe.look(5, is_wanted=True), len(server.requests)) == (6, 2)
        assert (probe.look(6, is_wanted=True), len(server.requests)) == (10, 4)


def test_events_that_may_not_be_listed_are_given_up() -> None:
    with asking(refusal(403, "Forbidden")) as (api, server):
        probe = ScaleUpProbe(api, "default")
        assert [probe.look(moment, is_wanted=True) for moment in (2, 50)] == [None, None]
    assert (len(server.requests), probe.events) == (1, ())


def test_a_server_that_is_away_is_asked_again_later_and_not_waited_for() -> None:
    with asking(Answer()) as (api, _server):
        pass
    lease_probe, events = LeaseProbe(api), ScaleUpProbe(api, "default")
    assert (lease_probe.look(3, is_wanted=True), events.look(3, is_wanted=True)) == (8, 7)
