# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Reading what a decision needs: one object with one request, or the objects of a whole namespace with one."""

from __future__ import annotations

import threading

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object, Resource, labels_of, name_of, spec


class Reader:
    """Reads each object by itself."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object, or None where there is none of that name."""
        return self.api.find(resource, namespace, name)

    def list(self, resource: Resource, namespace: str) -> tuple[Object, ...]:
        """All objects of a namespace."""
        return self.api.listing(resource, namespace).items

    def chosen_by(self, live: Object, resource: Resource, namespace: str) -> Listing:
        """The objects that a set's selector chooses, with the version to watch from."""
        return self.api.listing(resource, namespace, label_selector=_selector.to_query(spec(live).get("selector") or {}))

    def serves(self, resource: Resource) -> bool:
        """True where the resource is served now."""
        return self.api.serves(resource)


class NamespaceReader(Reader):
    """Reads a namespace once and answers from that, from any thread. What is asked for again has changed since, and is read by itself."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self._lock = threading.Lock()
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._found: dict[tuple[str, str], Listing | EngineError] = {}
        self._by_name: dict[tuple[str, str], dict[str, Object]] = {}
        self._asked: set[tuple[str, str, str]] = set()
        self._serves: dict[str, bool] = {}

    def listing(self, resource: Resource, namespace: str) -> Listing:
        """What a namespace held when it was read. One that may not be read is not asked for again. Raises ``EngineError``."""
        key = (resource.qualified, namespace)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            found = self._found.get(key)
            if found is None:
                found = self._found[key] = self._read(resource, namespace)
        if isinstance(found, EngineError):
            raise found
        return found

    def _read(self, resource: Resource, namespace: str) -> Listing | EngineError:
        try:
            found = self.api.listing(resource, namespace)
        except EngineError as error:
            return error
        self._by_name[resource.qualified, namespace] = {name_of(each): each for each in found.items}
        return found

    def known(self, resource: Resource, namespace: str) -> Listing | None:
        """What a namespace held when it was read, None where it has not been."""
        found = self._found.get((resource.qualified, namespace))
        return found if isinstance(found, Listing) else None

    def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        asked = (resource.qualified, namespace, name)
        with self._lock:
            is_again = asked in self._asked
            self._asked.add(asked)
        if is_again:
            self._forget_others(resource, namespace)
            return super().find(resource, namespace, name)
        self.listing(resource, namespace)
        return self._by_name[resource.qualified, namespace].get(name)

    def _forget_others(self, resource: Resource, namespace: str) -> None:
        """Somebody writes in this namespace: what else has been read of it may be out of date as well."""
        with self._lock:
            for key in [each for each in self._found if each[1] == namespace and each[0] != resource.qualified]:
                del self._found[key]

    def list(self, resource: Resource, namespace: str) -> tuple[Object, ...]:
        return self.listing(resource, namespace).items

    def chosen_by(self, live: Object, resource: Resource, namespace: str) -> Listing:
        found = self.listing(resource, namespace)
        selector = spec(live).get("selector") or {}
        return Listing(tuple(each for each in found.items if _selector.matches(selector, labels_of(each))), found.version)

    def serves(self, resource: Resource) -> bool:
        with self._lock:
            if resource.qualified not in self._serves:
                self._serves[resource.qualified] = super().serves(resource)
            return self._serves[resource.qualified]
