# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every refusal of an API server becomes a sentence that says what to do."""

from __future__ import annotations

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._answer import read_refusal
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import Answer, ApiError, DependencyError, explain
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS, POD_METRICS, REPLICA_SETS, Resource
from unit.support.recorded import sandbox

SETS = "virtualmachineinstancereplicasets.kubevirt.io"


def answer(name: str, resource: Resource = REPLICA_SETS, object_name: str = "web", namespace: str = "recorded") -> Answer:
    """Return a refusal that was recorded."""
    recorded = sandbox("answers", name)
    return read_refusal(recorded["status"], recorded["body"].encode(), recorded["method"], resource, namespace, object_name)


def say(found: Answer) -> str:
    """Return the sentence for a refusal."""
    return explain(found, server="https://api:6443", origin='kubeconfig /k, context "c"')


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            answer("401"),
            "The API server at https://api:6443 does not accept these credentials (401 Unauthorized): the token, password or "
            'certificate from kubeconfig /k, context "c" is wrong or has expired.',
        ),
        (
            answer("403"),
            f'User "vmscale-nobody" may not list {SETS} in namespace "recorded": a Role or ClusterRole must grant the verb "list" on {SETS}.',
        ),
        (answer("404-object", object_name="missing"), f'{SETS} "recorded/missing" does not exist.'),
        (
            answer("404-namespace", namespace="nowhere"),
            'Namespace "nowhere" does not exist: create it first, or name another one with the option "namespace".',
        ),
        (answer("404-api"), f"KubeVirt is not installed on https://api:6443: its API serves no {SETS}."),
        (
            answer("404-api", POD_METRICS),
            "The metrics API is not installed on https://api:6443: it serves no pods.metrics.k8s.io. Install metrics-server.",
        ),
        (answer("404-api", AUTOSCALERS), "The API at https://api:6443 serves no horizontalpodautoscalers.autoscaling."),
        (
            answer("422-webhook"),
            f'{SETS} "recorded/web" is refused by admission webhook "virtualmachinereplicaset-validator.kubevirt.io": '
            "spec.template.spec.domain.devices.disks[1].name: spec.template.spec.domain.devices.disks[1].Name 'unbacked' not found.; "
            "spec.selector: selector does not match labels.",
        ),
        (
            answer("422-autoscaler", AUTOSCALERS),
            'horizontalpodautoscalers.autoscaling "recorded/web" is refused by the API server: spec.maxReplicas: Invalid value: -1: must be '
            "greater than or equal to 1; spec.maxReplicas: Invalid value: -1: must be greater than or equal to `minReplicas`",
        ),
        (
            answer("500-webhook-down"),
            f'The API server cannot ask the admission webhook "virtualmachinereplicaset-validator.kubevirt.io" about {SETS} "recorded/web" '
            '(failed to call webhook: Post "https://127.0.0.1:6443/virtualmachinereplicaset-validate?timeout=10s": dial tcp 127.0.0.1:6443: '
            "connect: connection refused). Is virt-api running?",
        ),
        (
            answer("409-stale"),
            f'{SETS} "recorded/web" was changed by somebody else meanwhile: Operation cannot be fulfilled on {SETS} "web": the object has been '
            "modified; please apply your changes to the latest version and try again",
        ),
        (
            answer("503-metrics", POD_METRICS, ""),
            'The API server answered 503 to GET of pods.metrics.k8s.io in namespace "recorded": error trying to reach service: dial tcp '
            "127.0.0.1:6443: connect: connection refused",
        ),
    ],
    ids=lambda value: f"{value.status} {value.resource}" if isinstance(value, Answer) else "",
)
def test_a_recorded_refusal_is_explained(found: Answer, sentence: str) -> None:
    assert say(found).rstrip(".") == sentence.rstrip(".")


def test_a_misspelt_field_is_named() -> None:
    sentence = say(answer("500-unknown-field"))
    assert "spec.replcas" in sentence
    assert "refused" in sentence


def built(status: int, message: str = "", **more: object) -> Answer:
    """Return a refusal."""
    parts: dict[str, object] = {"group": "kubevirt.io", "plural": "virtualmachineinstancereplicasets", "namespace": "ns", "name": "web"}
    return Answer(**{"status": status, "method": "PATCH", "message": message, **parts, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            built(403, 'pods "x" is forbidden: exceeded quota: q'),
            f'{SETS} "ns/web" is refused by the API server: pods "x" is forbidden: exceeded quota: q',
        ),
        (
            built(403, 'admission webhook "policy.example" denied the request: not on Fridays'),
            f'{SETS} "ns/web" is refused by admission webhook "policy.example": not on Fridays',
        ),
        (
            built(403, 'x is forbidden: User "me" cannot create resource "x" in API group "y" at the cluster scope', namespace=""),
            f'User "me" may not create {SETS} at cluster scope: a Role or ClusterRole must grant the verb "create" on {SETS}.',
        ),
        (built(400, "strict decoding error"), f'{SETS} "ns/web" is refused by the API server: strict decoding error'),
        (built(400, "", reason="BadRequest"), f'{SETS} "ns/web" is refused by the API server: BadRequest'),
        (built(500, "boom"), f'The API server answered 500 to PATCH of {SETS} "ns/web": boom'),
        (built(418), f'The API server answered 418 to PATCH of {SETS} "ns/web": no message'),
        (
            built(500, 'failed calling webhook "w"'),
            f'The API server cannot ask the admission webhook "w" about {SETS} "ns/web". Is virt-api running?',
        ),
    ],
)
def test_other_refusals_are_explained(found: Answer, sentence: str) -> None:
    assert say(found) == sentence


def test_the_same_cause_is_said_once() -> None:
    recorded = sandbox("answers", "422-autoscaler")["body"]
    twice = recorded.replace(
        "Invalid value: -1: must be greater than or equal to `minReplicas`", "Invalid value: -1: must be greater than or equal to 1"
    )
    found = read_refusal(422, twice.encode(), "PATCH", AUTOSCALERS, "recorded", "web")
    assert len(found.causes) == 2
    assert say(found).count("must be greater than or equal to 1") == 1


@pytest.mark.parametrize(
    ("name", "is_missing"),
    [("404-object", True), ("404-namespace", False), ("404-api", False), ("403", False), ("409-stale", False)],
)
def test_only_a_missing_object_counts_as_missing(name: str, is_missing: bool) -> None:
    error = ApiError(answer(name), "x")
    assert error.is_missing_object is is_missing
    assert error.is_conflict is (name == "409-stale")
    assert error.facts == {"status": answer(name).status, "reason": answer(name).reason}


def test_an_answer_that_is_no_status_keeps_the_beginning_of_its_text() -> None:
    found = read_refusal(502, b"<html>" + b"x" * 1000, "GET", REPLICA_SETS, "ns", "web")
    assert not found.is_status
    assert len(found.message) == 500
    assert not read_refusal(502, b"\xff\xfe", "GET", REPLICA_SETS, "ns", "web").is_status
    assert not read_refusal(404, b"[]", "GET", REPLICA_SETS, "ns", "web").is_status


def test_a_missing_package_is_named() -> None:
    error = DependencyError("urllib3>=2.0", "to talk to the Kubernetes API")
    assert error.message == (
        'The Python package "urllib3>=2.0" is needed to talk to the Kubernetes API, and it is not installed where this task runs:'
        ' pip install "urllib3>=2.0".'
    )
