# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a set's VMIs, told by the API server's watches: `python -m integration.support.trace KUBECONFIG NAMESPACE SET`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from kubernetes import client, config, watch

from integration.support.api import eventually
from integration.support.history import Change, History, Moment, change_of

WATCHED = ("virtualmachineinstancereplicasets", "virtualmachineinstances")


class Trace:
    """A recording of a set and its VMIs while it is entered; it asks nothing of the code under test."""

    def __init__(self, kubeconfig: Path, namespace: str, name: str) -> None:
        self.namespace = namespace
        self.name = name
        self._kubeconfig = kubeconfig
        self._listed: list[Change] = []
        self._followed: list[Change] = []
        self._watches: list[watch.Watch] = []
        self._threads: list[threading.Thread] = []
        self._failures: list[str] = []
        self._is_over = False

    def __enter__(self) -> Self:
        for resource in WATCHED:
            self._start(resource)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        for each in self._watches:
            each.stop()
        for thread in self._threads:
            thread.join(10)

    @property
    def history(self) -> History:
        """What was recorded so far; fails where something is missing of it."""
        if self._failures:
            raise AssertionError(f"the trace has a gap: {self._failures}")
        return History(self._listed, self._followed)

    def until(self, what: str, is_right: Callable[[Moment], bool], timeout: float = 60) -> Moment:
        """Return the last moment, once it is right."""
        return eventually(what, lambda: self.history.last, is_right, timeout, pause=0.05)

    def _start(self, resource: str) -> None:
        custom = client.CustomObjectsApi(config.new_client_from_config(str(self._kubeconfig)))
        scope = ("kubevirt.io", "v1", self.namespace, resource)
        listed = custom.list_namespaced_custom_object(*scope)
        self._keep(self._listed, listed["items"])
        each = watch.Watch()

        def follow() -> None:
            version = listed["metadata"]["resourceVersion"]
            try:
                for event in each.stream(custom.list_namespaced_custom_object, *scope, resource_version=version):
                    self._keep(self._followed, [event["raw_object"]], is_gone=event["type"] == "DELETED")
            except Exception as error:
                # Stopping a watch shuts its socket; what ends it before that leaves a gap.
                if not self._is_over:
                    self._failures.append(f"{resource}: {error}")

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        self._watches.append(each)
        self._threads.append(thread)

    def _keep(self, changes: list[Change], bodies: Sequence[dict[str, Any]], is_gone: bool = False) -> None:
        found = (change_of(self.name, body, time.time(), is_gone) for body in bodies)
        changes.extend(change for change in found if change is not None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Record for so many seconds, or until interrupted, and write the trace."""
    parser = argparse.ArgumentParser(prog="python -m integration.support.trace", description=main.__doc__)
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("namespace")
    parser.add_argument("set")
    parser.add_argument("--seconds", type=float, default=None, help="how long to record; without it, until a signal ends it")
    parser.add_argument("--output", type=Path, default=None, help="a file to write to instead of the standard output")
    options = parser.parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with Trace(options.kubeconfig, options.namespace, options.set) as trace:
        ended.wait(options.seconds)
        history = trace.history
    text = f"{history.text()}least ready: {history.least_ready}\n"
    if options.output is None:
        sys.stdout.write(text)
    else:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
