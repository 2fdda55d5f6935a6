# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How findings are merged, ordered and worded."""

from __future__ import annotations

import dataclasses
import random
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding, Symptom, conclude
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_autoscaler import diagnose_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_reasons import (
    CRASH_LOOP,
    IMAGE_PULL,
    NODE_LOST,
    UNSCHEDULABLE,
    VMI_REJECTED,
    WARNING,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_replica_set import diagnose_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_text import LONGEST
from ansible_collections.vmscale.kubevirt.plugins.module_utils._redact import HIDDEN
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from unit.support.situations import FAULTS, REAL_STATES, fault, real_situation, the_set, with_condition, with_instances

VMI = "VirtualMachineInstance"
HEALTHY = fault("healthy")
USER_DATA = """#cloud-config
password: hunter2-hunter2
chpasswd: {expire: false}
runcmd:
  - curl -H "Authorization: Bearer abcdef" https://example.com
"""


def concluded(*symptoms: Symptom, situation: Situation = HEALTHY) -> list[Finding]:
    """Return what is concluded from symptoms, of a set in which all is well unless told otherwise."""
    return list(conclude(symptoms, situation))


# Merging


def test_what_is_said_of_several_vmis_is_one_finding_about_the_first() -> None:
    names = [each["metadata"]["name"] for each in HEALTHY.instances]
    found = concluded(*(Symptom(UNSCHEDULABLE, VMI, name, message=f"no node for {name}") for name in reversed(names)))
    assert [(each.object, each.summary, each.message) for each in found] == [
        (f"{VMI} healthy/{min(names)}", "3 VMIs cannot be scheduled", f"no node for {min(names)}")
    ]


def test_a_pod_that_was_refused_has_a_name_of_its_own_at_each_attempt() -> None:
    said = 'pods "virt-launcher-web-{}" is forbidden'
    found = concluded(*(Symptom(VMI_REJECTED, VMI, name, message=said.format(f"{name}-x7")) for name in ("b5c6d", "f7g8h")))
    assert len(found) == 1


def test_a_vmi_that_was_refused_has_a_random_name() -> None:
    messages = [f'virtualmachineinstances.kubevirt.io "web-{suffix}" is invalid' for suffix in ("b5c6d", "f7g8h", "t2k4x")]
    assert len(concluded(*(Symptom(VMI_REJECTED, "Set", "web", message=message) for message in messages))) == 1


@pytest.mark.parametrize("message", ['image "web:1"', 'image "web:2"'])
def test_what_differs_is_not_merged(message: str) -> None:
    found = concluded(Symptom(IMAGE_PULL, VMI, "a", message=message), Symptom(IMAGE_PULL, VMI, "b", message='image "other:1"'))
    assert [each.message for each in found] == [message, 'image "other:1"']


def test_the_same_symptom_twice_counts_once() -> None:
    symptom = Symptom(UNSCHEDULABLE, VMI, "a", message="no")
    assert [each.summary for each in concluded(symptom, symptom)] == ["VMI a cannot be scheduled"]


# Order


def test_what_ends_a_wait_comes_first_and_then_the_most_telling() -> None:
    found = concluded(
        Symptom(WARNING, VMI, "a", message="w", detail="warning X"),
        Symptom(NODE_LOST, VMI, "a", message="n", detail="node"),
        Symptom(UNSCHEDULABLE, VMI, "b", message="no", is_fatal=False),
        Symptom(IMAGE_PULL, VMI, "c", message="image"),
        Symptom(CRASH_LOOP, "Set", "web", detail="x"),
    )
    assert [each.reason for each in found] == ["CrashLoop", "ImagePullFailed", "Unschedulable", "NodeLost", "Warning"]


def test_of_the_same_reason_what_concerns_more_comes_first() -> None:
    symptoms = [Symptom(IMAGE_PULL, VMI, name, message=message) for name, message in [("a", "one"), ("b", "two"), ("c", "two")]]
    assert [each.message for each in concluded(*symptoms)] == ["two", "one"]


def test_warnings_are_few() -> None:
    symptoms = [Symptom(WARNING, VMI, "a", message=f"{word} went wrong", detail="warning X") for word in "abcdefgh"]
    assert len(concluded(*symptoms)) == 5


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("state", [*FAULTS, *(f"real/{state}" for state in REAL_STATES)])
def test_the_order_of_what_was_read_does_not_matter(state: str, seed: int) -> None:
    source, _, name = state.rpartition("/")
    situation = real_situation(name, later=100) if source else fault(name, later=100)
    lists: dict[str, t.Any] = {key: getattr(situation, key) for key in ("instances", "pods", "events", "autoscalers", "finished")}
    shuffled: dict[str, t.Any] = {key: tuple(random.Random(seed).sample(each, len(each))) for key, each in lists.items()}
    shuffled["pod_metrics"] = situation.pod_metrics and tuple(reversed(situation.pod_metrics))
    other = dataclasses.replace(situation, **shuffled)
    assert diagnose_replica_set(other) == diagnose_replica_set(situation)
    assert diagnose_autoscaler(other) == diagnose_autoscaler(situation)


# Words


def test_a_long_message_is_one_line_and_says_that_it_is_cut() -> None:
    message = concluded(Symptom(IMAGE_PULL, VMI, "a", message="a\n b " * 300))[0].message
    assert len(message) == LONGEST
    assert message.endswith(" ... (cut)")
    assert "\n" not in message


def test_a_clause_has_no_period_at_its_end() -> None:
    assert concluded(Symptom(IMAGE_PULL, VMI, "a", message="It failed."))[0].clause == "an image of VMI a cannot be pulled: It failed"


def _with_user_data(situation: Situation) -> Situation:
    live = the_set(situation)
    template = live["spec"]["template"]
    volumes = [*template["spec"].get("volumes", []), {"name": "init", "cloudInitNoCloud": {"userData": USER_DATA}}]
    spec = {**live["spec"], "template": {**template, "spec": {**template["spec"], "volumes": volumes}}}
    return dataclasses.replace(situation, replica_set={**live, "spec": spec})


@pytest.mark.parametrize(
    "quoted",
    [
        USER_DATA,
        USER_DATA.replace("\n", "\\n"),
        "password: hunter2-hunter2",
        'the value "hunter2-hunter2" is not allowed',
        '- curl -H "Authorization: Bearer abcdef" https://example.com',
    ],
)
def test_what_a_webhook_quotes_of_user_data_is_not_told(quoted: str) -> None:
    situation = _with_user_data(fault("vmi-rejected", events=()))
    said = with_condition(the_set(situation), "ReplicaFailure", message=f"denied the request: {quoted} is bad")
    finding = diagnose_replica_set(dataclasses.replace(situation, replica_set=said))[0]
    assert finding.reason == "VmiRejected"
    assert HIDDEN in finding.message
    assert "hunter2" not in finding.message
    assert "Bearer" not in finding.message


def test_what_an_older_vmi_was_given_is_not_told_either() -> None:
    volume = {"name": "init", "cloudInitNoCloud": {"userDataBase64": "I2Nsb3VkLWNvbmZpZwpwYXNzd29yZDogb2xkLXNlY3JldAo="}}
    situation = with_instances(fault("image-pull", pods=()), lambda each: {**each, "spec": {**each["spec"], "volumes": [volume]}})
    situation = with_instances(situation, lambda each: with_condition(each, "Synchronized", message="cannot read password: old-secret"))
    finding = diagnose_replica_set(situation)[0]
    assert finding.message == f"cannot read {HIDDEN}"


def test_a_finding_as_the_modules_return_it() -> None:
    found = diagnose_replica_set(fault("too-large"))[0].as_result()
    assert found["object"].startswith(f"{VMI} too-large/web-")
    assert found["reason"] == "Unschedulable"
    assert found["message"].startswith("0/4 nodes are available")
    assert found["fatal"] is True
    assert found["hint"].endswith(".")
    quiet = diagnose_replica_set(fault("adopted"))[0].as_result()
    assert quiet["message"] == "2 VMIs were not created by this set, which adopted them"
