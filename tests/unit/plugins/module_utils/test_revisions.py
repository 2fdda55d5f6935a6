# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The revisions of a template: numbers, what is kept, where to go back to, and what a restart changes."""

from __future__ import annotations

import itertools
import json
import random
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _revisions
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import template_hash
from ansible_collections.vmscale.kubevirt.plugins.module_utils._restart import stamped, with_restart_of, without_restart
from ansible_collections.vmscale.kubevirt.plugins.module_utils._revisions import Revision, revision_of
from unit.support.objects import UID, changed, replica_set
from unit.support.patches import replaced
from unit.support.recorded import Object
from unit.support.templates import HASH, hash_in, history, recorded, revision, set_of, template

WEB = "VirtualMachineInstanceReplicaSet default/web"
NOW = "2026-11-23T20:40:00Z"
RESTARTED, RESTART_ID = "vmscale.kubevirt/restarted-at", "vmscale.kubevirt/restart-id"
ROLLED_BACK = "vmscale.kubevirt/rolled-back"


def rolled_back(live: Object, target: Revision) -> Object:
    """Return a set after a roll back to a revision."""
    after = changed(live, "spec.template", stamped(target.template, target.hash))
    return changed(after, "metadata.annotations", _revisions.rolled_back_annotation(live, target))


def restarted(live: Object, now: str = NOW, restart_id: str | None = None) -> Object:
    """Return a set after a restart."""
    made = _revisions.restarted(live, now, restart_id)
    return changed(
        changed(live, "spec.template", made),
        "metadata.annotations",
        {**(live["metadata"].get("annotations") or {}), **_revisions.restarted_annotation(made)},
    )


def target_number(live: Object, revisions: t.Sequence[Revision], number: int | None = None) -> int:
    """Return the number of the revision to go back to."""
    return _revisions.target_of_roll_back(revisions, live, number, WEB).number


def test_a_revision_is_the_set_s_own_and_holds_its_template() -> None:
    live = set_of("1Gi")
    body = _revisions.body_of(live, 3, (2, 1))
    assert (body["apiVersion"], body["kind"], body["revision"]) == ("apps/v1", "ControllerRevision", 3)
    assert body["data"] == {"spec": {"template": live["spec"]["template"]}}
    metadata = body["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("web-2d460f6f-3", "default")
    assert metadata["labels"] == {"vmscale.kubevirt/replica-set-uid": UID, HASH: hash_in("1Gi")}
    assert metadata["annotations"] == {"vmscale.kubevirt/revisions": "1,2"}
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == ("VirtualMachineInstanceReplicaSet", "web", UID, True)
    assert _revisions.body_of(live, 1)["metadata"]["annotations"] == {}


@pytest.mark.parametrize("name", ["w" * 253, "w" * 219 + "-.x"])
def test_its_name_is_no_longer_than_a_name_may_be(name: str) -> None:
    made = _revisions.body_of(changed(set_of("1Gi"), "metadata.name", name), 12345)["metadata"]["name"]
    assert len(made) <= 253
    assert made.startswith("w" * 219)
    assert made.endswith("w-2d460f6f-12345")


def test_a_revision_is_read_as_it_was_written() -> None:
    found = revision_of(recorded("1Gi", 5, (2, 4)))
    assert (found.number, found.hash, found.earlier, found.uid) == (5, hash_in("1Gi"), (2, 4), "uid-of-5")
    assert (found.template, found.created) == (template("1Gi"), "2026-11-23T20:39:00Z")
    assert [number for number in range(8) if found.is_known_as(number)] == [2, 4, 5]


def test_a_revision_that_somebody_else_has_written_does_no_harm() -> None:
    bare = revision_of({"metadata": {"name": "x"}})
    assert (bare.number, bare.earlier, bare.template) == (0, (), {})
    strange = changed(recorded("1Gi", 2), "metadata.annotations", {"vmscale.kubevirt/revisions": "1,x,,-3, 4"})
    assert revision_of(changed(strange, "metadata.labels", {})).hash == hash_in("1Gi")
    assert revision_of(strange).earlier == (1,)


def test_the_present_one_is_told_by_its_hash() -> None:
    revisions = [revision("1Gi", 1), revision("2Gi", 2), revision("1Gi", 4)]
    present = _revisions.current(revisions, set_of("1Gi"))
    assert present is not None
    assert present.number == 4
    assert _revisions.current(revisions, set_of("3Gi")) is None
    assert _revisions.next_number(revisions) == 5
    assert _revisions.next_number([]) == 1


def test_a_set_without_a_hash_has_one_that_is_calculated() -> None:
    bare = changed(set_of("1Gi"), "spec.template.metadata.labels", {"app": "web"})
    assert _revisions.hash_of(bare) == hash_in("1Gi")
    assert _revisions.hash_of(changed(bare, "spec.template.metadata.labels", {"app": "web", HASH: "other"})) == "other"


@pytest.mark.parametrize("limit", range(6))
def test_what_is_in_use_is_never_forgotten(limit: int) -> None:
    chance = random.Random(limit)
    for _ in range(60):
        revisions = history(*(f"{number}Gi" for number in range(1, chance.randint(1, 8))))
        in_use = {each.hash for each in revisions if chance.random() < 0.3}
        shuffled = chance.sample(revisions, len(revisions))
        gone = _revisions.surplus_revisions(shuffled, in_use, limit)
        assert not in_use & {each.hash for each in gone}
        unused = [each for each in revisions if each.hash not in in_use]
        # The oldest first.
        assert gone == unused[: len(gone)]
        assert len(unused) - len(gone) <= limit


def test_without_a_number_it_is_the_one_before() -> None:
    revisions = history("1Gi", "2Gi", "3Gi")
    assert target_number(set_of("3Gi"), revisions) == 2
    assert target_number(set_of("2Gi"), revisions) == 1
    # The present one has not been recorded: all are before it.
    assert target_number(set_of("4Gi"), revisions) == 3


@pytest.mark.parametrize(("live", "revisions"), [("1Gi", ["1Gi"]), ("1Gi", []), ("1Gi", ["1Gi", "2Gi"])])
def test_where_there_is_none_before_it_is_said(live: str, revisions: list[str]) -> None:
    with pytest.raises(OptionError) as caught:
        target_number(set_of(live), history(*revisions))
    kept = ", ".join(str(number) for number, _memory in enumerate(revisions, start=1)) or "none"
    assert caught.value.message.startswith(f"{WEB} has no revision before the present one to go back to (kept: {kept}): ")


def test_a_number_that_it_had_once_still_finds_it() -> None:
    revisions = [revision("2Gi", 2), revision("1Gi", 4, (1, 3)), revision("3Gi", 5)]
    live = set_of("3Gi")
    assert [target_number(live, revisions, number) for number in (1, 2, 3, 4, 5)] == [4, 2, 4, 4, 5]
    # The one that has the number now is meant rather than one that had it.
    assert target_number(live, [*revisions, revision("4Gi", 6, (2,))], 2) == 2
    with pytest.raises(OptionError, match=r'has no revision 7: "revision" must be one of those that are kept \(2, 4, 5\)'):
        target_number(live, revisions, 7)
    with pytest.raises(OptionError, match=r"kept \(none\)"):
        target_number(live, [], 1)


def test_going_back_twice_changes_nothing() -> None:
    revisions = history("1Gi", "2Gi", "3Gi")
    after = rolled_back(set_of("3Gi"), revisions[1])
    assert _revisions.hash_of(after) == hash_in("2Gi")
    assert _revisions.rolled_back_from(after) == hash_in("3Gi")
    # Ended right after the write, and once the present one has its new number.
    assert target_number(after, revisions) == 2
    assert target_number(after, [revisions[0], revisions[2], revision("2Gi", 4, (2,))]) == 4
    # With a number that is another one it goes on.
    assert target_number(after, revisions, 1) == 1


def test_a_new_template_ends_a_roll_back() -> None:
    after = changed(rolled_back(set_of("3Gi"), revision("2Gi", 2)), "spec.template", template("4Gi"))
    assert _revisions.rolled_back_from(after) is None
    numbered = [revision("1Gi", 1), revision("3Gi", 3), revision("2Gi", 4, (2,)), revision("4Gi", 5)]
    assert target_number(after, numbered) == 4


@pytest.mark.parametrize("text", [None, "", "x", "3", "[]", "null", '{"to": 3}', json.dumps({"to": hash_in("2Gi")})])
def test_what_cannot_be_read_is_no_roll_back(text: str | None) -> None:
    live = changed(set_of("2Gi"), "metadata.annotations", {ROLLED_BACK: text})
    assert _revisions.rolled_back_from(live) is None


def test_nobody_goes_back_to_what_differs_by_a_restart_alone() -> None:
    first, second = set_of("1Gi"), set_of("2Gi")
    again = restarted(second)
    revisions = [
        revision("1Gi", 1),
        revision("2Gi", 2),
        revision_of(_revisions.body_of(again, 3)),
    ]
    assert target_number(again, revisions) == 1
    with pytest.raises(OptionError, match="no revision before the present one"):
        target_number(restarted(first), [revision("1Gi", 1), revision_of(_revisions.body_of(restarted(first), 2))])
    # And from one restart to the other neither.
    twice = restarted(again, "2026-11-23T20:50:00Z")
    assert target_number(twice, [*revisions, revision_of(_revisions.body_of(twice, 4))]) == 1


def test_nor_to_what_a_controller_has_written_in_another_way_since() -> None:
    def written(memory: str, tablet: bool | None) -> Object:
        devices = {} if tablet is None else {"autoattachInputDevice": tablet}
        requests = {"memory": memory}
        made: Object = {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"domain": {"devices": devices, "resources": {"requests": requests}}},
        }
        return changed(set_of("1Gi"), "spec.template", stamped(made))

    first = revision_of(_revisions.body_of(written("1024Mi", tablet=False), 1))
    # Recorded as it was applied, and restarted once it had been written back.
    again = restarted(changed(written("1Gi", tablet=None), "spec.template.metadata.labels", {"app": "web", HASH: first.hash}))
    second = revision_of(_revisions.body_of(again, 2))
    with pytest.raises(OptionError, match="no revision before the present one"):
        target_number(again, [first, second])
    for other in (written("1025Mi", tablet=False), written("1024Mi", tablet=True)):
        assert target_number(again, [revision_of(_revisions.body_of(other, 1)), second]) == 1


def test_one_that_has_less_or_more_is_another() -> None:
    more = changed(set_of("1Gi"), "spec.template.spec.hostname", "guest")
    more["spec"]["template"] = stamped(more["spec"]["template"])
    less = set_of("1Gi")
    for before, after in ((more, less), (less, more)):
        recorded_before = revision_of(_revisions.body_of(before, 1))
        assert target_number(after, [recorded_before, revision_of(_revisions.body_of(after, 2))]) == 1


def test_the_patch_gives_the_template_to_the_version_that_was_read_and_keeps_other_annotations() -> None:
    live = set_of("1Gi", annotations={"team": "a"})
    patch = _revisions.with_template(live, template("2Gi"), {ROLLED_BACK: "x"})
    after = replaced(live, patch)
    assert patch[0] == {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}
    assert (after["spec"]["template"], after["metadata"]["annotations"]) == (template("2Gi"), {"team": "a", ROLLED_BACK: "x"})
    assert {**after, "spec": live["spec"], "metadata": live["metadata"]} == live
    assert replaced(set_of("1Gi"), _revisions.with_template(set_of("1Gi"), {}, {"a": "b"}))["metadata"]["annotations"] == {"a": "b"}
    assert len(_revisions.with_template(live, template("2Gi"), {})) == 2


def test_a_roll_back_keeps_the_hash_by_which_its_vmis_are_known() -> None:
    # The hash of a manifest, which the API server may have written in another way since.
    known = changed(recorded("1Gi", 1), "metadata.labels", {HASH: "manifest"})
    target = revision_of(known)
    after = rolled_back(set_of("2Gi"), target)
    assert after["spec"]["template"]["metadata"]["labels"][HASH] == "manifest"
    assert json.loads(after["metadata"]["annotations"][ROLLED_BACK]) == {"from": hash_in("2Gi"), "to": "manifest"}
    assert "manifest" not in json.dumps(target.template)
    assert stamped({"spec": {}})["metadata"]["labels"][HASH] == template_hash({"spec": {}})


def test_a_restart_is_another_template_with_the_same_content() -> None:
    live = set_of("1Gi")
    made = _revisions.restarted(live, NOW, "r1")
    assert made["metadata"]["annotations"] == {RESTARTED: NOW, RESTART_ID: "r1"}
    assert made["metadata"]["labels"][HASH] != hash_in("1Gi")
    assert made["spec"] == live["spec"]["template"]["spec"]
    assert live == set_of("1Gi")
    # Another restart leaves nothing of the one before.
    again = _revisions.restarted(restarted(live, NOW, "r1"), "2026-11-23T20:41:00Z", None)
    assert again["metadata"]["annotations"] == {RESTARTED: "2026-11-23T20:41:00Z"}
    hashes = {each["metadata"]["labels"][HASH] for each in (live["spec"]["template"], made, again)}
    assert len(hashes) == 3


def test_the_template_without_a_restart_is_what_it_was() -> None:
    for own in (None, {"team": "a"}):
        live = changed(replica_set(), "spec.template", template("1Gi", own))
        made = _revisions.restarted(live, NOW, "r1")
        assert template_hash(without_restart(made)) == template_hash(live["spec"]["template"])
        assert ("annotations" in without_restart(made)["metadata"]) is (own is not None)
        assert without_restart(live["spec"]["template"]) is live["spec"]["template"]


@pytest.mark.parametrize(("restart_id", "expected"), [("r1", True), ("r2", False), (None, False)])
def test_a_restart_with_an_id_has_been_begun_once_its_stamp_is_there(restart_id: str | None, expected: bool) -> None:
    live = changed(restarted(set_of("1Gi"), restart_id="r1"), "metadata.annotations", {})
    assert _revisions.is_restarted(live, restart_id) is expected
    assert not _revisions.is_restarted(set_of("1Gi"), restart_id)


def test_a_restart_without_an_id_goes_on_until_its_mark_is_taken_away() -> None:
    live = restarted(set_of("1Gi"))
    assert _revisions.is_restarted(live, None)
    assert not _revisions.is_restarted(changed(live, "metadata.annotations", {}), None)


def test_a_restart_whose_template_has_changed_since_is_none() -> None:
    live = changed(restarted(set_of("1Gi")), "spec.template", template("2Gi"))
    assert not _revisions.is_restarted(live, None)


def test_a_manifest_takes_on_the_restart_of_the_live_template() -> None:
    live = restarted(set_of("1Gi"), restart_id="r1")["spec"]["template"]
    assert with_restart_of(live, template("1Gi")) == live
    other = with_restart_of(live, template("2Gi"))
    assert other["metadata"]["annotations"] == live["metadata"]["annotations"]
    assert other["metadata"]["labels"][HASH] == template_hash(other) != hash_in("2Gi")
    bare = changed(template("1Gi"), "metadata.labels", {"app": "web"})
    assert HASH not in with_restart_of(live, bare)["metadata"]["labels"]
    with_other = with_restart_of(live, template("1Gi", {"team": "a"}))
    assert with_other["metadata"]["annotations"] == {"team": "a", RESTARTED: NOW, RESTART_ID: "r1"}


def test_a_manifest_without_a_restart_or_with_one_of_its_own_is_left_alone() -> None:
    wanted = template("1Gi")
    assert with_restart_of(template("1Gi"), wanted) is wanted
    own = template("1Gi", {RESTARTED: "by hand"})
    assert with_restart_of(restarted(set_of("1Gi"))["spec"]["template"], own) is own


def test_numbers_are_never_given_twice() -> None:
    revisions: list[Revision] = []
    for memory in itertools.islice(itertools.cycle(["1Gi", "2Gi", "3Gi"]), 9):
        number = _revisions.next_number(revisions)
        earlier = [known for each in revisions if each.hash == hash_in(memory) for known in (each.number, *each.earlier)]
        revisions = [each for each in revisions if each.hash != hash_in(memory)] + [revision(memory, number, earlier)]
    assert [(each.number, each.earlier) for each in revisions] == [(7, (1, 4)), (8, (2, 5)), (9, (3, 6))]
