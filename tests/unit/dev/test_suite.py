# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tests on a kind cluster run where they can, and are no failure where they cannot."""

from __future__ import annotations

import pytest

from dev import suite


@pytest.mark.parametrize(("code", "answer", "ran"), [(0, "all images are made", 3), (1, "to be made first: node-root", None)])
def test_kind_runs_only_where_it_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int, answer: str, ran: int | None
) -> None:
    monkeypatch.setattr(suite, "_ask_kind", lambda *_options: (code, answer))
    monkeypatch.setattr(suite, "run_kind", lambda: 3)
    assert suite.run_kind_if_made() == (0 if ran is None else ran)
    assert (f"make test-kind is not run: {answer}" in capsys.readouterr().out) is (ran is None)
