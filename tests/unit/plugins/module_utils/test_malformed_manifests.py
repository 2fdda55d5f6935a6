# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever stands where in a manifest: it is taken, or refused with a sentence, and never ends in a traceback."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
import yaml

from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler_wanted import wanted_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._plan import plan_autoscaler, plan_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset_wanted import wanted_replica_set
from unit.support.recorded import SEED_AUTOSCALER, SEED_SET, real_autoscaler

Path = tuple[t.Any, ...]
VALUES: list[t.Any] = [None, "text", "", 7, -1, True, 1.5, [], {}, ["x"], {"x": "y"}, [{"x": 1}], [[1]]]
TEXTS = {"labels": {"a": "b"}, "annotations": {"c": "d"}}
SET = yaml.safe_load(SEED_SET)
SET["metadata"].update(TEXTS)
SET["spec"]["selector"]["matchExpressions"] = [{"key": "myvmi", "operator": "In", "values": ["myvmi"]}]
V1 = next(yaml.safe_load_all(SEED_AUTOSCALER))
V1["metadata"].update(TEXTS)
V2 = {key: value for key, value in real_autoscaler("idle").items() if key != "status"}
V2["metadata"] = {"name": "test-hpa", **TEXTS}
V2["spec"]["behavior"] = {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]}}
OPTIONS: dict[str, t.Any] = {"labels": {"q": "r"}, "annotations": {"q": "r"}, "replicas": 3, "min_replicas": 3, "max_replicas": 5}


def paths(value: t.Any, path: Path = ()) -> t.Iterator[Path]:
    """Return the path of everything inside a manifest."""
    yield path
    for key, content in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(content, (*path, key))


def with_value(manifest: t.Any, path: Path, value: t.Any) -> t.Any:
    """Return the manifest with another value at a path."""
    if not path:
        return value
    copied = copy.deepcopy(manifest)
    at = copied
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return copied


def plan_set(wanted: Wanted) -> t.Any:
    """Return what creating the set would send."""
    return plan_replica_set(wanted, None, [], "keep", False).body


def plan_scaler(wanted: Wanted) -> t.Any:
    """Return what creating the autoscaler would send."""
    return plan_autoscaler(wanted, None).body


@pytest.mark.parametrize("params", [{}, OPTIONS, {"state": "absent"}], ids=["alone", "with options", "absent"])
@pytest.mark.parametrize(
    ("manifest", "read", "plan"),
    [(SET, wanted_replica_set, plan_set), (V1, wanted_autoscaler, plan_scaler), (V2, wanted_autoscaler, plan_scaler)],
    ids=["set", "autoscaling/v1", "autoscaling/v2"],
)
def test_no_value_anywhere_ends_in_a_traceback(
    manifest: t.Any, read: t.Callable[..., Wanted], plan: t.Callable[[Wanted], t.Any], params: dict[str, t.Any]
) -> None:
    refused, crashed = 0, []
    for path in paths(manifest):
        for value in VALUES:
            try:
                json.dumps(plan(read(params, with_value(manifest, path, value), '"definition"', "default")))
            except OptionError as error:
                assert error.message.endswith("."), error.message
                refused += 1
            except Exception as error:
                crashed.append(f"{path} = {value!r}: {error!r}")
    assert crashed == []
    assert refused > 50
