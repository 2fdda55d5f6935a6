# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A diff is shown on request, and only then."""

from __future__ import annotations

import typing as t

import pytest

from unit.support.cluster import Cluster
from unit.support.fleet import described, described_scaler, live_set, put_set
from unit.support.objects import changed

TASKS: dict[str, tuple[str, dict[str, t.Any]]] = {
    "one": ("vmirs", {"definition": described("web"), "template_hash": False}),
    "a fleet": ("vmirs", {"definition": [described("web")], "template_hash": False}),
    "an autoscaler": ("hpa", {"definition": described_scaler("web")}),
    "scaling": ("vmirs_scale", {"name": "web", "replicas": 1, "wait": False}),
    "a rollout": ("vmirs_rollout", {"name": "web"}),
}


@pytest.mark.parametrize("is_diff_wanted", [True, False])
@pytest.mark.parametrize("name", TASKS)
def test_a_diff_is_shown_only_on_request(name: str, is_diff_wanted: bool) -> None:
    module, params = TASKS[name]
    cluster = Cluster()
    put_set(cluster, changed(live_set("web"), "spec.template.metadata.labels", {"app": "web", "vmscale.kubevirt/template-hash": "h"}))
    done = cluster.run(module, check_mode=True, is_diff_wanted=is_diff_wanted, **params)
    assert not done.get("failed"), done["msg"]
    assert ("diff" in done) is is_diff_wanted
