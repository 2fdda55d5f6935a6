# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what watches told of a set and its VMIs to every state that they were in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from integration.support.manifests import HASH

SET_KIND = "VirtualMachineInstanceReplicaSet"


@dataclass(frozen=True)
class Instance:
    """A VMI, as far as a rollout goes by it."""

    uid: str
    name: str
    node: str
    template_hash: str
    is_ready: bool
    is_leaving: bool

    @property
    def state(self) -> str:
        return "leaving" if self.is_leaving else "ready" if self.is_ready else "not ready"


@dataclass(frozen=True)
class Change:
    """One event of a watch: what the set wants, or how a VMI is; the API server numbers them all in one row."""

    version: int
    at: float
    desired: int | None = None
    instance: Instance | None = None
    is_gone: bool = False


@dataclass(frozen=True)
class Moment:
    """The set and its VMIs between two events."""

    at: float
    what: str
    desired: int
    instances: Mapping[str, Instance]

    @property
    def number(self) -> int:
        """How many VMIs there are that nobody has deleted."""
        return sum(not each.is_leaving for each in self.instances.values())

    @property
    def ready(self) -> int:
        return sum(each.is_ready for each in self.instances.values())

    @property
    def leaving(self) -> int:
        return sum(each.is_leaving for each in self.instances.values())

    def of_hash(self, template_hash: str) -> int:
        """Return how many ready VMIs are of a template."""
        return sum(each.is_ready and each.template_hash == template_hash for each in self.instances.values())


class History:
    """Every state from the first to the last, and what can be asked of them."""

    def __init__(self, listed: Sequence[Change], followed: Iterable[Change]) -> None:
        self.moments = tuple(_moments(listed, sorted(followed, key=lambda change: change.version)))

    @property
    def last(self) -> Moment:
        return self.moments[-1]

    @property
    def least_ready(self) -> int:
        """The lowest number of ready VMIs at any moment."""
        return min(moment.ready for moment in self.moments)

    @property
    def first_instances(self) -> list[Instance]:
        return list(self.moments[0].instances.values())

    @property
    def born(self) -> list[Instance]:
        """The VMIs that came, in that order."""
        found = (after.instances.keys() - before.instances.keys() for before, after in pairwise(self.moments))
        known = {uid: instance for moment in reversed(self.moments) for uid, instance in moment.instances.items()}
        return [known[uid] for uids in found for uid in uids]

    @property
    def removals(self) -> list[tuple[Moment, Moment, Instance]]:
        """The VMIs that were deleted, in that order: the moment before, the moment after, and the VMI as it was."""
        return [(before, after, each) for before, after in pairwise(self.moments) for each in _removed(before, after)]

    @property
    def removed(self) -> list[str]:
        """The names of the VMIs that were deleted, in that order."""
        return [instance.name for _before, _after, instance in self.removals]

    @property
    def replaced_twice(self) -> list[str]:
        """The VMIs that came and were deleted all the same."""
        born = {instance.name for instance in self.born}
        return [name for name in self.removed if name in born]

    def floor_breaches(self, max_unavailable: int, grace: float = 1) -> list[str]:
        """Return the deletions of ready VMIs that left fewer ready than the set wants, less so many.

        What an autoscaler wrote less than the grace before a deletion need not be known to whom deletes.
        """
        found = []
        for before, after, instance in self.removals:
            wanted = min([before.desired, *(moment.desired for moment in self.moments if after.at - grace <= moment.at <= after.at)])
            if instance.is_ready and after.ready < wanted - max_unavailable:
                found.append(f"{instance.name} was deleted, which left {after.ready} ready of {wanted}")
        return found

    def text(self) -> str:
        """Return a line for each moment."""
        start = self.moments[0].at
        return "".join(
            f"{moment.at - start:7.2f} s  desired {moment.desired:2}  VMIs {moment.number:2}  ready {moment.ready:2}  "
            f"leaving {moment.leaving:2}  {moment.what}\n"
            for moment in self.moments
        )


def change_of(name: str, body: Mapping[str, Any], at: float, is_gone: bool = False) -> Change | None:
    """Return what an object says of the set of that name: nothing where it is neither the set nor one of its VMIs."""
    metadata = body["metadata"]
    version = int(metadata["resourceVersion"])
    if body["kind"] == SET_KIND:
        return Change(version, at, desired=int(body["spec"].get("replicas", 1))) if metadata["name"] == name else None
    owners = metadata.get("ownerReferences", [])
    if not any(owner["kind"] == SET_KIND and owner["name"] == name for owner in owners):
        return None
    return Change(version, at, instance=_instance(body), is_gone=is_gone)


def _instance(body: Mapping[str, Any]) -> Instance:
    metadata, status = body["metadata"], body.get("status", {})
    is_leaving = "deletionTimestamp" in metadata
    is_final = status.get("phase") in ("Succeeded", "Failed")
    is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", []))
    return Instance(
        uid=metadata["uid"],
        name=metadata["name"],
        node=status.get("nodeName", ""),
        template_hash=metadata.get("labels", {}).get(HASH, ""),
        is_ready=is_ready and not is_leaving and not is_final,
        is_leaving=is_leaving,
    )


def _moments(listed: Sequence[Change], followed: Sequence[Change]) -> Iterator[Moment]:
    moment = Moment(0, "", 0, {})
    for change in listed:
        moment = _after(moment, change)
    yield Moment(moment.at, "the trace begins", moment.desired, moment.instances)
    for change in followed:
        after = _after(moment, change)
        if after.what:
            yield after
        moment = after


def _after(moment: Moment, change: Change) -> Moment:
    """Return the state after an event; nothing that counts has happened where it does not say what."""
    instances, instance = dict(moment.instances), change.instance
    if instance is None:
        desired = change.desired or 0
        what = f"{moment.desired} -> {desired} wanted" if desired != moment.desired else ""
        return Moment(change.at, what, desired, instances)
    before = instances.get(instance.uid)
    if change.is_gone:
        instances.pop(instance.uid, None)
        return Moment(change.at, f"{instance.name} is gone", moment.desired, instances)
    instances[instance.uid] = instance
    what = f"{instance.name} {instance.state}" if before is None or before.state != instance.state else ""
    return Moment(change.at, what, moment.desired, instances)


def _removed(before: Moment, after: Moment) -> Iterator[Instance]:
    for uid, instance in before.instances.items():
        now = after.instances.get(uid)
        if not instance.is_leaving and (now is None or now.is_leaving):
            yield instance
