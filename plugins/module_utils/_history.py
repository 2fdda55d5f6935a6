# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The history of a set's template: ControllerRevisions read, recorded and pruned."""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Clock
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import again_on_conflict
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    REVISION_SET_LABEL,
    REVISIONS,
    Object,
    metadata,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._revisions import (
    Revision,
    body_of,
    current,
    hash_of,
    next_number,
    revision_of,
    surplus_revisions,
)


class History:
    """The revisions of the sets of a namespace, kept to ``limit`` each; ``warnings`` says where the user may not keep them."""

    def __init__(self, api: Api, clock: Clock, namespace: str, limit: int, dry_run: bool) -> None:
        self._api = api
        self._clock = clock
        self._namespace = namespace
        self._limit = limit
        self._dry_run = dry_run
        self._numbers: dict[str, int] = {}
        # What would have been recorded, had it not been a dry run.
        self._imagined: list[Revision] = []
        self.warnings: list[str] = []

    def read(self, replica_set: Object) -> list[Revision]:
        """The revisions of a set. Raises ``ApiError``."""
        uid = str(metadata(replica_set).get("uid", ""))
        found = self._api.list(REVISIONS, self._namespace, label_selector=f"{REVISION_SET_LABEL}={uid}")
        revisions = sorted([*(revision_of(each) for each in found), *self._imagined], key=lambda each: each.number)
        self._numbers.update({each.hash: each.number for each in revisions})
        return revisions

    def number_of(self, found: str) -> int | None:
        """The number of the revision with that hash, None where none has been seen."""
        return self._numbers.get(found)

    def record(self, replica_set: Object, in_use: t.Iterable[str] | None = None) -> None:
        """Make the set's present template the newest revision, and forget those beyond the limit whose hashes are not ``in_use``.

        Where that is None it is not known what VMIs run, and nothing is forgotten.

        Raises ``ApiError``, except where the user may not keep a history.
        """
        if self._limit < 1:
            return
        try:
            # Somebody else may take the number meanwhile.
            again_on_conflict(self._clock, lambda: self._record(replica_set, in_use))
        except ApiError as error:
            self._warn("The template is not recorded, so nothing can be rolled back to it", error)

    def _record(self, replica_set: Object, in_use: t.Iterable[str] | None) -> None:
        revisions = self.read(replica_set)
        present, number = current(revisions, replica_set), next_number(revisions)
        if present is None or present.number < number - 1:
            same = [each for each in revisions if each.hash == hash_of(replica_set)]
            earlier = {known for each in same for known in (each.number, *each.earlier)}
            body = body_of(replica_set, number, earlier)
            present = revision_of(self._api.create(REVISIONS, self._namespace, body, self._dry_run))
            self._numbers[present.hash] = present.number
            if self._dry_run:
                self._imagined.append(present)
        kept = [each for each in revisions if each.name == present.name or each.hash != present.hash]
        forgotten = [each for each in revisions if each not in kept]
        if present not in kept:
            kept.append(present)
        if in_use is not None:
            forgotten += surplus_revisions(kept, {present.hash, *in_use}, self._limit)
        try:
            for each in forgotten:
                self._api.delete(REVISIONS, self._namespace, each.name, each.uid, "Background", self._dry_run)
        except ApiError as error:
            self._warn("Older revisions are kept beyond the limit", error)

    def _warn(self, what: str, error: ApiError) -> None:
        if not error.is_forbidden:
            raise error
        warning = f"{what}: {error.message}"
        if warning not in self.warnings:
            self.warnings.append(warning)
