# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps are made once for each set of inputs, and a step that was broken off is made again."""

from __future__ import annotations

from pathlib import Path

import pytest
from kind import steps
from kind.steps import Step, clean, ensure, remaining


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(steps, "CACHE", tmp_path)
    return tmp_path


def writer(made: list[str], name: str, text: str = "content", *, fails: bool = False) -> Step:
    def make(directory: Path) -> None:
        made.append(name)
        (directory / "file").write_text(text)
        if fails:
            raise RuntimeError("broken off")

    return Step(name, make, (text,))


def test_a_step_is_made_once() -> None:
    made: list[str] = []
    step = writer(made, "one")

    assert ensure(step) == ensure(step) == step.directory
    assert (step.directory / "file").read_text() == "content"
    assert made == ["one"]


def test_what_a_step_comes_after_is_made_first() -> None:
    made: list[str] = []
    first = writer(made, "first")
    second = Step("second", lambda directory: made.append((first.directory / "file").read_text()), (), (first,))

    assert remaining([second]) == [first, second]
    ensure(second)
    assert made == ["first", "content"]
    assert remaining([second]) == []


def test_a_step_that_was_broken_off_is_made_again(cache: Path) -> None:
    made: list[str] = []
    with pytest.raises(RuntimeError):
        ensure(writer(made, "one", fails=True))
    assert not writer(made, "one").is_made
    (cache / f".{writer(made, 'one').directory.name}.unfinished" / "left").write_text("")

    directory = ensure(writer(made, "one"))
    assert [path.name for path in directory.iterdir()] == ["file"]


def test_the_key_follows_texts_files_and_earlier_steps(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("one")
    earlier = writer([], "earlier", "one")
    step = Step("step", lambda directory: None, ("text", folder), (earlier,))
    keys = {step.key}

    (folder / "file").write_text("two")
    keys.add(step.key)
    (folder / "file").rename(folder / "other")
    keys.add(step.key)
    keys.add(Step("step", step.make, ("other text", folder), (earlier,)).key)
    keys.add(Step("step", step.make, ("text", folder), (writer([], "earlier", "two"),)).key)
    assert len(keys) == 5
    assert step.key == Step("step", step.make, ("text", folder), (earlier,)).key


def test_cleaning_keeps_what_the_present_inputs_are_made_into(cache: Path) -> None:
    old, new, other = ensure(writer([], "one", "old")), ensure(writer([], "one", "new")), ensure(writer([], "other"))

    clean([writer([], "one", "new")])
    assert not old.exists()
    assert new.exists()
    assert other.exists()
