# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `python -X importtime` prints, read as trees."""

from __future__ import annotations

from bench.imports import below_engine, costs_by_group, costs_of_engine, read_imports

PRINTED = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 | json
import time:      1000 |       1000 |       urllib3
import time:       200 |        200 |       ssl
import time:      2000 |       3200 |     ansible_collections.vmscale.kubevirt.plugins.module_utils._transport
import time:      4000 |       7200 |   ansible_collections.vmscale.kubevirt.plugins.plugin_utils._local_shell
import time:       500 |        500 |   ansible.plugins.action
import time:        50 |       7750 | ansible.executor
something else on the way
"""


def test_modules_stand_below_those_that_import_them() -> None:
    roots = read_imports(PRINTED)
    assert [root.name for root in roots] == ["json", "ansible.executor"]
    assert [child.name.rpartition(".")[2] for child in roots[1].children] == ["_local_shell", "action"]
    assert len([*roots[1].walk()]) == 6


def test_what_the_collection_imports_counts_and_nothing_else() -> None:
    found = [*below_engine(read_imports(PRINTED))]
    costs = costs_by_group([found])
    assert {name: (cost.modules, cost.milliseconds) for name, cost in costs.items()} == {
        "vmscale.kubevirt": (2, 6.0),
        "urllib3": (1, 1.0),
        "Python's own modules": (1, 0.2),
    }
    assert costs_of_engine([found]) == {"_local_shell": 4.0, "_transport": 2.0}


def test_costs_are_medians_of_the_runs() -> None:
    slow = PRINTED.replace("       1000 |       1000 |       urllib3", "       9000 |       9000 |       urllib3")
    runs = [[*below_engine(read_imports(text))] for text in (PRINTED, slow, PRINTED)]
    assert costs_by_group(runs)["urllib3"].milliseconds == 1.0
