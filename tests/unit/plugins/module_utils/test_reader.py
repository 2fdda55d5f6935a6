# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading: a namespace once for all of its objects, from any thread, and an object by itself where something has changed."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import resolve
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._reader import NamespaceReader, Reader
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS, INSTANCES, POD_METRICS, REPLICA_SETS, name_of
from unit.support.objects import instance, replica_set
from unit.support.server import Answer, Request, Server, listening, refusal

SETS = "virtualmachineinstancereplicasets"
FORBIDDEN = refusal(403, "Forbidden", 'User "u" cannot list resource "x"')


def named(name: str) -> dict[str, t.Any]:
    """Return an object of which only the name matters."""
    return {"metadata": {"name": name}}


def listed(*objects: t.Any) -> Answer:
    """Return the answer to a LIST."""
    return Answer(200, {"metadata": {"resourceVersion": "7"}, "items": list(objects)})


class Scene:
    """A reader, and what it has asked."""

    def __init__(self, server: Server, reader: NamespaceReader) -> None:
        self.server = server
        self.reader = reader

    def find(self, name: str, namespace: str = "default") -> str | None:
        """Return the name of the set that was found."""
        found = self.reader.find(REPLICA_SETS, namespace, name)
        return None if found is None else name_of(found)

    @property
    def asked(self) -> list[str]:
        """The namespace and the rest of each path."""
        return [each.path.partition("/namespaces/")[2] or each.path for each in self.server.requests]


@contextmanager
def reading(answer: Callable[[Request], Answer]) -> Iterator[Scene]:
    """Read from a server that answers so."""
    server = Server(answer)
    with listening(server) as address:
        yield Scene(server, NamespaceReader(Api(resolve({"host": address, "api_key": "t"}, {}))))


def both(request: Request) -> Answer:
    """Have the sets a and b, alone and in a list."""
    last = request.path.rpartition("/")[2]
    return listed(named("a"), named("b")) if last == SETS else Answer(200, named(last))


def test_one_list_answers_for_every_object_of_a_namespace() -> None:
    with reading(both) as scene:
        assert [scene.find(name) for name in ("a", "b", "missing")] == ["a", "b", None]
        assert [name_of(each) for each in scene.reader.list(REPLICA_SETS, "default")] == ["a", "b"]
        assert scene.find("a", "other") == "a"
    assert scene.asked == [f"default/{SETS}", f"other/{SETS}"]


def test_what_is_asked_for_again_is_read_by_itself() -> None:
    with reading(both) as scene:
        assert [scene.find(name) for name in ("a", "a", "b", "a")] == ["a"] * 2 + ["b", "a"]
    assert scene.asked == [f"default/{SETS}", f"default/{SETS}/a", f"default/{SETS}/a"]


def test_where_somebody_writes_the_rest_of_the_namespace_is_read_anew() -> None:
    def answer(request: Request) -> Answer:
        return both(request) if SETS in request.path else listed(named("h"))

    with reading(answer) as scene:
        for namespace in ("default", "other"):
            scene.reader.list(AUTOSCALERS, namespace)
        scene.find("a")
        scene.find("a")
        assert scene.reader.known(AUTOSCALERS, "default") is None
        assert scene.reader.known(REPLICA_SETS, "default") is not None
        assert scene.reader.known(AUTOSCALERS, "other") is not None
        scene.reader.list(AUTOSCALERS, "default")
    assert scene.asked.count("default/horizontalpodautoscalers") == 2


def test_many_at_once_wait_for_one_list() -> None:
    def slow(request: Request) -> Answer:
        time.sleep(0.1)
        return both(request)

    with reading(slow) as scene, ThreadPoolExecutor(8) as pool:
        names = ["a", "b", *(f"missing {number}" for number in range(14))]
        assert list(pool.map(scene.find, names)) == ["a", "b", *[None] * 14]
    assert scene.asked == [f"default/{SETS}"]


def test_namespaces_do_not_wait_for_one_another() -> None:
    def slow(request: Request) -> Answer:
        time.sleep(0.2)
        return both(request)

    with reading(slow) as scene, ThreadPoolExecutor(4) as pool:
        began = time.monotonic()
        list(pool.map(lambda namespace: scene.find("a", namespace), ["one", "two", "three", "four"]))
        assert time.monotonic() - began < 0.6


def test_a_namespace_that_may_not_be_read_is_asked_for_once() -> None:
    with reading(lambda request: FORBIDDEN if "/secret/" in request.path else both(request)) as scene:
        for name in ("a", "b"):
            with pytest.raises(ApiError, match="may not list"):
                scene.find(name, "secret")
        assert scene.reader.known(REPLICA_SETS, "secret") is None
        assert scene.find("a") == "a"
    assert scene.asked == [f"secret/{SETS}", f"default/{SETS}"]


def test_what_is_known_is_not_asked_for() -> None:
    with reading(both) as scene:
        assert scene.reader.known(REPLICA_SETS, "default") is None
        assert scene.asked == []
        listing = scene.reader.listing(REPLICA_SETS, "default")
        assert scene.reader.known(REPLICA_SETS, "default") is listing
        assert listing.version == "7"


def test_a_set_chooses_its_vmis_among_those_of_the_namespace() -> None:
    mine, other = instance("mine"), instance("other")
    other["metadata"]["labels"] = {"app": "db"}
    live = replica_set()
    with reading(lambda request: listed(mine, other)) as scene:
        chosen = scene.reader.chosen_by(live, INSTANCES, "default")
        assert ([name_of(each) for each in chosen.items], chosen.version) == (["mine"], "7")
        scene.reader.chosen_by(live, INSTANCES, "default")
        assert scene.server.requests[0].query == {}
    assert len(scene.asked) == 1
    with reading(lambda request: listed(mine)) as scene:
        Reader(scene.reader.api).chosen_by(live, INSTANCES, "default")
    assert scene.server.requests[0].query == {"labelSelector": "app=web"}


def test_whether_something_is_served_is_asked_once() -> None:
    with reading(lambda request: refusal(404)) as scene:
        assert [scene.reader.serves(POD_METRICS) for _ in range(3)] == [False] * 3
    assert scene.asked == ["/apis/metrics.k8s.io/v1beta1"]
    with reading(lambda request: Answer()) as scene:
        assert scene.reader.serves(POD_METRICS)
