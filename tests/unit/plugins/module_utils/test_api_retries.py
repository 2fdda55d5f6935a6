# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is tried again, for how long, and what is not."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import FIRST_CONTACT_SECONDS, Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError, ConnectionFailed
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import POD_METRICS, REPLICA_SETS
from unit.support.clock import FakeClock
from unit.support.server import Answer, Server, listening, refusal, unused_port

BUSY = [429, 502, 503, 504]


def client(address: str, clock: FakeClock, patience: float | None = None) -> Api:
    """Return a client with a deadline."""
    api = Api(Connection(server=address), clock)
    if patience is not None:
        api.retry_until(Deadline.after(clock, patience))
    return api


@pytest.mark.parametrize("status", BUSY)
@pytest.mark.parametrize("verb", ["get", "apply", "delete"])
def test_a_busy_server_is_asked_again_whatever_the_question(status: int, verb: str) -> None:
    questions: dict[str, t.Callable[[Api], t.Any]] = {
        "get": lambda api: api.get(REPLICA_SETS, "ns", "web"),
        "apply": lambda api: api.apply(REPLICA_SETS, "ns", "web", {}, False),
        "delete": lambda api: api.delete(REPLICA_SETS, "ns", "web", "u", "Foreground", False),
    }
    clock, server = FakeClock(), Server(Answer(status), Answer(status), Answer(200, {"a": 1}))
    with listening(server) as address:
        api = client(address, clock)
        questions[verb](api)
    assert (api.requests, len(server.requests)) == (3, 3)
    assert len({(each.method, each.path, str(each.body)) for each in server.requests}) == 1
    assert api.retries == [f"{server.requests[0].method} {server.requests[0].path}: HTTP {status}"] * 2
    assert clock.slept == [0.1, 0.2]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 422, 500, 501])
def test_a_refusal_is_final(status: int) -> None:
    clock, server = FakeClock(), Server(refusal(status))
    with listening(server) as address, pytest.raises(ApiError) as caught:
        client(address, clock, 60).get(REPLICA_SETS, "ns", "web")
    assert (caught.value.answer.status, len(server.requests), clock.slept) == (status, 1, [])


def test_the_server_says_when_to_come_back() -> None:
    clock, server = FakeClock(), Server(Answer(429, {}, {"Retry-After": "7"}), Answer())
    with listening(server) as address:
        client(address, clock, 60).get(REPLICA_SETS, "ns", "web")
    assert clock.slept == [7.0]


@pytest.mark.parametrize(("text", "pause"), [("soon", 0.1), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.1), ("", 0.1), ("-5", 0.1), ("3600", 30.0)])
def test_no_time_to_come_back_is_waited_for_without_end(text: str, pause: float) -> None:
    clock, server = FakeClock(), Server(Answer(503, {}, {"Retry-After": text}), Answer())
    with listening(server) as address:
        client(address, clock, 60).get(REPLICA_SETS, "ns", "web")
    assert clock.slept == [pause]


def test_nobody_waits_for_a_time_beyond_the_deadline() -> None:
    clock, server = FakeClock(), Server(Answer(429, {}, {"Retry-After": "20"}))
    with listening(server) as address, pytest.raises(ApiError, match="answered 429"):
        client(address, clock, 10).get(REPLICA_SETS, "ns", "web")
    assert clock.slept == []


@pytest.mark.parametrize("patience", [5.0, 20.0])
def test_a_server_that_stays_busy_is_asked_until_the_deadline_and_no_longer(patience: float) -> None:
    clock, server = FakeClock(), Server(refusal(503, "ServiceUnavailable", "starting"))
    with listening(server) as address, pytest.raises(ApiError, match="answered 503 .* starting"):
        client(address, clock, patience).get(REPLICA_SETS, "ns", "web")
    assert clock.time == pytest.approx(1000 + patience, abs=0.1)
    assert max(clock.slept) <= 2.0
    assert len(server.requests) > 5


def test_pauses_grow() -> None:
    clock, server = FakeClock(), Server(*[Answer(503)] * 7, Answer())
    with listening(server) as address:
        client(address, clock, 60).get(REPLICA_SETS, "ns", "web")
    assert clock.slept == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_after_the_deadline_a_request_still_gets_a_few_seconds() -> None:
    clock, server = FakeClock(), Server(Answer(), Answer(503), Answer())
    with listening(server) as address:
        api = client(address, clock, 10)
        api.get(REPLICA_SETS, "ns", "web")
        clock.time += 60
        api.get(REPLICA_SETS, "ns", "web")
    assert clock.slept == [0.1]


def test_a_wrong_address_does_not_cost_the_whole_wait() -> None:
    clock = FakeClock()
    address = f"http://127.0.0.1:{unused_port()}"
    with pytest.raises(ConnectionFailed) as caught:
        client(address, clock, 600).get(REPLICA_SETS, "ns", "web")
    assert caught.value.message == (
        f"No Kubernetes API server answers at {address} (from the options): connection refused. "
        'Check the address in "host" or "kubeconfig".'
    )
    assert sum(clock.slept) == pytest.approx(FIRST_CONTACT_SECONDS, abs=0.1)


def test_a_server_that_has_answered_may_be_away_until_the_deadline() -> None:
    port, server = unused_port(), Server()
    with contextlib.ExitStack() as stack:
        back = 40.0
        is_back: list[bool] = []

        def come_back(seconds: float) -> None:
            if seconds >= back and not is_back:
                is_back.append(True)
                stack.enter_context(listening(server, port=port))

        clock = FakeClock(come_back)
        with listening(server, port=port) as address:
            api = client(address, clock, 60)
            api.get(REPLICA_SETS, "ns", "web")
        api._pool.clear()
        api.get(REPLICA_SETS, "ns", "web")
        assert back <= clock.time - 1000 < back + 3
    assert api.retries[-1].endswith(": connection refused")
    assert len(server.requests) == 2


def test_a_server_that_stays_away_is_waited_for_until_the_deadline_and_no_longer() -> None:
    clock, server = FakeClock(), Server()
    with listening(server) as address:
        api = client(address, clock, 30)
        api.get(REPLICA_SETS, "ns", "web")
    api._pool.clear()
    with pytest.raises(ConnectionFailed, match="connection refused"):
        api.get(REPLICA_SETS, "ns", "web")
    assert clock.time == pytest.approx(1030, abs=0.1)


def test_a_connection_that_breaks_is_made_again() -> None:
    clock, server = FakeClock(), Server(Answer(200, b"{}", {"Content-Length": "9", "Connection": "close"}), Answer(200, {"a": 1}))
    with listening(server) as address:
        assert client(address, clock).get(REPLICA_SETS, "ns", "web") == {"a": 1}
    assert len(clock.slept) == 1


def test_a_name_that_cannot_be_resolved_is_said() -> None:
    with pytest.raises(ConnectionFailed, match=r"at http://no-such-host\.invalid:6443 .*: the name cannot be resolved"):
        client("http://no-such-host.invalid:6443", FakeClock()).get(REPLICA_SETS, "ns", "web")


def test_an_api_that_may_be_missing_is_asked_once() -> None:
    clock, server = FakeClock(), Server(Answer(503, b"error trying to reach service"))
    with listening(server) as address:
        api = client(address, clock, 60)
        assert api.serves(POD_METRICS) is False
        with pytest.raises(ApiError):
            api.list(POD_METRICS, "ns", tries_again=False)
    assert (len(server.requests), clock.slept) == (2, [])
