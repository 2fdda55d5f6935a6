# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates of a set, one after the other."""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import template_hash
from ansible_collections.vmscale.kubevirt.plugins.module_utils._revisions import Revision, body_of, revision_of
from unit.support.objects import changed, replica_set
from unit.support.recorded import Object

HASH = "vmscale.kubevirt/template-hash"


def template(memory: str, annotations: t.Mapping[str, str] | None = None) -> Object:
    """Return a template with its hash."""
    metadata: Object = {"labels": {"app": "web"}}
    if annotations is not None:
        metadata["annotations"] = dict(annotations)
    made: Object = {"metadata": metadata, "spec": {"domain": {"memory": {"guest": memory}}}}
    made["metadata"]["labels"] = {"app": "web", HASH: template_hash(made)}
    return made


def set_of(memory: str, annotations: t.Mapping[str, str] | None = None, **options: t.Any) -> Object:
    """Return a set with such a template; `annotations` are the set's own."""
    live = changed(replica_set(**options), "spec.template", template(memory))
    return changed(live, "metadata.annotations", dict(annotations)) if annotations is not None else live


def hash_in(memory: str) -> str:
    """Return the hash of such a template."""
    return str(template(memory)["metadata"]["labels"][HASH])


def recorded(memory: str, number: int, earlier: t.Sequence[int] = (), created: str = "2026-11-23T20:39:00Z") -> Object:
    """Return the ControllerRevision of such a template as the API server has it."""
    body = body_of(set_of(memory), number, earlier)
    body["metadata"].update(uid=f"uid-of-{number}", creationTimestamp=created)
    return body


def revision(memory: str, number: int, earlier: t.Sequence[int] = ()) -> Revision:
    """Return it as it is read."""
    return revision_of(recorded(memory, number, earlier))


def history(*memories: str) -> list[Revision]:
    """Return revisions 1, 2, ..."""
    return [revision(memory, number) for number, memory in enumerate(memories, start=1)]
