# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role kubevirt on an API server that has nothing installed in it.

The API server, Ansible and the role are real, and so is the schema of the kind KubeVirt. Played are virt-operator (which only sets the
status of the KubeVirt resource), the namespace controller, a kubelet that serves one log, and metrics-server (an APIService without a
service is available at once). There are no pods but those that a test makes up, the manifests hold little more than what the role looks
at, and what was "installed before" was applied under the role's field manager, or another's. That the role gets along with the real
operator is what the molecule scenario `kind` shows.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.support.api import eventually
from integration.support.bare_cluster import (
    METRICS_API,
    METRICS_DEPLOYMENT,
    SOMEONE,
    BareCluster,
    RoleRun,
    bare_cluster,
    kubevirt_resource,
)
from integration.support.cluster import Cluster
from integration.support.releases import (
    METRICS_NAMESPACE,
    NEWER,
    OLDER,
    OPERATOR_NAMESPACE,
    VERSION,
    metrics_server_release,
    operator_release,
)
from integration.support.virt_operator import MERGE, RESOURCE, kubelet
from sandbox.api import ApiError, Object

OPERATOR, RESOURCE_TASK, METRICS_SERVER = "Ensure the operator", "Ensure the KubeVirt resource", "Ensure metrics-server"
REMOVED = ["Remove the KubeVirt resource", "Remove the operator", "Remove metrics-server"]
MASQUERADE = {"network": {"defaultNetworkInterface": "masquerade"}}
X509 = "x509: cannot validate certificate for 172.18.0.2 because it doesn't contain any IP SANs"
SCRAPE_LOG = f'E1125 13:00:02.000000 1 scraper.go:149] "Failed to scrape node" err="Get \\"https://172.18.0.2/\\": tls: {X509}" node="w"\n'


@pytest.fixture(scope="module")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareCluster]:
    """One API server for all the tests of a worker."""
    if cluster.sandbox is None:
        pytest.skip("needs an API server without KubeVirt, which takes the certificates of the sandbox")
    with bare_cluster(cluster.sandbox.name, tmp_path_factory.mktemp("role-kubevirt")) as found:
        yield found


@pytest.fixture
def bare(server: BareCluster) -> Iterator[BareCluster]:
    """The API server with nothing installed in it; emptied after the test."""
    yield server
    server.clear()


def emulation(bare: BareCluster) -> bool | None:
    """Return what is set for software emulation, if anything."""
    found: bool | None = bare.configuration().get("developerConfiguration", {}).get("useEmulation")
    return found


def metrics_server_arguments(bare: BareCluster) -> list[str]:
    return list(bare.api.request("GET", METRICS_DEPLOYMENT)["spec"]["template"]["spec"]["containers"][0]["args"])


def metrics_api() -> Object:
    """Return a registration of the metrics API; its backend is not the tests' business."""
    return metrics_server_release(is_served=True)[-1]


def refusal(run: RoleRun) -> str:
    """Return what a run said that failed before it wrote anything."""
    assert run.message
    assert run.writes == ()
    return run.message


@pytest.mark.versions
def test_check_mode_on_a_fresh_cluster_predicts_and_writes_nothing(bare: BareCluster) -> None:
    predicted = bare.run_role(check=True)

    assert predicted.changed == [OPERATOR, METRICS_SERVER]
    assert predicted.result == {"version": VERSION, "managed": True, "emulation": False, "metrics_server": "ours"}
    assert predicted.writes == ()
    assert bare.left() == []


@pytest.mark.slow
def test_kubevirt_is_installed_modified_and_removed_each_once(bare: BareCluster) -> None:
    bare.add_node("first", kvm="0")
    bare.add_node("second", kvm="0")

    created = bare.run_role()
    assert created.changed == [OPERATOR, RESOURCE_TASK, METRICS_SERVER, RESOURCE_TASK]
    assert created.result == {"version": VERSION, "managed": True, "emulation": True, "metrics_server": "ours"}
    assert emulation(bare) is True
    live = bare.resource()
    assert bare.run_role().changed == []
    assert bare.resource() == live

    bare.api.request("PATCH", RESOURCE, {"spec": {"configuration": {"permittedHostDevices": {}}}}, MERGE)
    asked: Object = {
        "configuration": MASQUERADE,
        "emulation": False,
        "infra_replicas": 1,
        "image_pull_policy": "IfNotPresent",
        "metrics_server_arguments": ["--metric-resolution=10s"],
        "metrics_server_kubelet_insecure_tls": True,
    }
    assert bare.run_role(**asked).changed == [OPERATOR, RESOURCE_TASK, METRICS_SERVER]
    spec = bare.resource()["spec"]
    assert spec["infra"] == {"replicas": 1}
    assert spec["configuration"] == {
        **MASQUERADE,
        "permittedHostDevices": {},
        "developerConfiguration": {"useEmulation": False},
        "imagePullPolicy": "IfNotPresent",
    }
    assert metrics_server_arguments(bare)[-2:] == ["--kubelet-insecure-tls", "--metric-resolution=10s"]
    assert bare.run_role(**asked).changed == []

    there = bare.left()
    gone = bare.run_role(state="absent", check=True)
    assert (gone.changed, gone.writes, bare.left()) == (REMOVED, (), there)
    assert bare.run_role(state="absent").changed == REMOVED
    assert bare.left() == []
    assert bare.api.get(f"/api/v1/namespaces/{OPERATOR_NAMESPACE}") is None
    assert bare.run_role(state="absent").changed == []


@pytest.mark.slow
def test_what_the_role_set_is_taken_back_and_what_someone_else_set_is_kept(bare: BareCluster) -> None:
    bare.install(configuration=MASQUERADE)
    bare.apply(kubevirt_resource(configuration={"developerConfiguration": {"useEmulation": False}}), by=SOMEONE)
    bare.add_node("first", kvm="0")

    assert bare.run_role(metrics_server=False).changed == [RESOURCE_TASK]

    assert bare.configuration() == {"developerConfiguration": {"useEmulation": False}}


@pytest.mark.slow
def test_emulation_stays_off_where_one_node_offers_kvm(bare: BareCluster) -> None:
    bare.install()
    bare.add_node("first", kvm="0")
    bare.add_node("second", kvm="1k")

    left = bare.run_role(metrics_server=False)

    assert left.changed == []
    assert left.result == {"version": VERSION, "managed": True, "emulation": False, "metrics_server": "none"}
    assert emulation(bare) is None


@pytest.mark.slow
def test_emulation_stays_off_and_the_user_is_told_where_no_node_speaks_of_kvm(bare: BareCluster) -> None:
    bare.install()
    bare.add_node("first")

    left = bare.run_role(metrics_server=False, check=True)

    assert left.changed == []
    assert "do not say whether they offer KVM" in left.said
    assert "kubevirt_emulation: true" in left.said


def test_an_older_version_stays_and_the_user_is_told(bare: BareCluster) -> None:
    bare.install(OLDER)
    bare.add_node("first", kvm="1k")

    left = bare.run_role(metrics_server=False)

    assert OPERATOR not in left.changed
    assert left.result["version"] == OLDER
    assert bare.operator_image().endswith(f":{OLDER}")
    assert f"KubeVirt {OLDER} is installed and stays. Set kubevirt_upgrade: true to have {VERSION}." in left.said


@pytest.mark.slow
def test_an_older_version_is_upgraded_when_that_is_asked_for(bare: BareCluster) -> None:
    bare.install(OLDER)
    bare.add_node("first", kvm="1k")

    upgraded = bare.run_role(metrics_server=False, upgrade=True)

    assert OPERATOR in upgraded.changed
    assert upgraded.result["version"] == VERSION
    assert bare.resource()["status"]["observedKubeVirtVersion"] == VERSION


def test_a_newer_version_is_refused_even_where_it_may_be_adopted(bare: BareCluster) -> None:
    bare.install(NEWER, by=SOMEONE)

    said = refusal(bare.run_role(upgrade=True, adopt=True))

    assert said.startswith(f"KubeVirt {NEWER} (kubevirt/kubevirt) is newer than {VERSION}, and cannot be downgraded.")


def test_what_another_tool_installed_is_left_alone_where_it_has_what_is_asked_for(bare: BareCluster) -> None:
    bare.install(by=SOMEONE, configuration=MASQUERADE)
    bare.apply(metrics_api())

    left = bare.run_role(configuration=MASQUERADE)

    assert (left.changed, left.writes) == ([], ())
    assert left.result == {"version": VERSION, "managed": False, "emulation": False, "metrics_server": "foreign"}


@pytest.mark.slow
def test_kubevirt_of_another_tool_is_refused_where_it_lacks_something(bare: BareCluster) -> None:
    bare.install(by=SOMEONE)

    said = refusal(bare.run_role(configuration=MASQUERADE))

    assert 'lacks what is asked for: {"configuration": {"network": {"defaultNetworkInterface": "masquerade"}}}' in said
    assert "kubevirt_adopt: true" in said


@pytest.mark.slow
def test_kubevirt_of_another_tool_is_removed_only_after_it_was_adopted(bare: BareCluster) -> None:
    bare.install(by=SOMEONE)
    bare.apply(metrics_api())
    bare.add_node("first", kvm="1k")

    assert "so it is not removed" in refusal(bare.run_role(state="absent"))

    assert bare.run_role(configuration=MASQUERADE, adopt=True).result["managed"] is True
    assert bare.configuration() == MASQUERADE

    assert bare.run_role(state="absent").changed == REMOVED[:2]
    assert bare.left() == [METRICS_API]


def test_kubevirt_in_another_namespace_is_never_adopted(bare: BareCluster) -> None:
    bare.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}}, bare.definition)
    bare.apply(kubevirt_resource("elsewhere", "theirs"))

    said = refusal(bare.run_role(emulation=True, adopt=True))

    assert said.startswith("KubeVirt elsewhere/theirs was not installed by this role")
    assert said.endswith("Configure it with the tool that installed it.")


@pytest.mark.slow
def test_an_operator_of_another_tool_without_its_resource_is_refused(bare: BareCluster) -> None:
    bare.apply(*operator_release(bare.definition))

    assert "there is no KubeVirt resource for it" in refusal(bare.run_role())


@pytest.mark.slow
def test_the_metrics_api_of_another_tool_is_never_overwritten(bare: BareCluster) -> None:
    bare.apply(metrics_api())

    said = refusal(bare.run_role(metrics_server=True))

    assert said.startswith("APIService v1beta1.metrics.k8s.io is there and was not installed by this role")


@pytest.mark.slow
def test_a_stuck_operator_is_reported_with_its_conditions_and_the_trouble_of_its_pods(bare: BareCluster) -> None:
    bare.operator.trouble = "Deploying version v1.8.2 with registry quay.io/kubevirt"
    bare.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR_NAMESPACE}})
    bare.add_pod(OPERATOR_NAMESPACE, "virt-api-1", "virt-api", reason="ImagePullBackOff", message='Back-off pulling image "none"')

    said = bare.run_role(metrics_server=False, wait_timeout=5).message

    assert said.startswith(f"KubeVirt kubevirt/kubevirt {VERSION} did not become available within 5 seconds.")
    assert f"Available is False: {bare.operator.trouble}." in said
    assert 'Pod virt-api-1, container virt-api, waits with ImagePullBackOff: Back-off pulling image "none".' in said


@pytest.mark.slow
def test_a_removal_that_hangs_names_the_log_of_the_operator(bare: BareCluster) -> None:
    bare.install()
    bare.operator.is_halted = True

    said = bare.run_role(state="absent", wait_timeout=3).message

    assert said.startswith("KubeVirt kubevirt/kubevirt is still there 3 seconds after its deletion. Available is True")
    assert "log of Deployment kubevirt/virt-operator" in said


@pytest.mark.slow
def test_a_removal_that_is_refused_repeats_why_and_the_operator_stays(bare: BareCluster) -> None:
    bare.install()
    reason = "kubevirt is still in use, there are still Virtual Machine Instances present"
    forbid_deletion(bare, reason)

    said = bare.run_role(state="absent").message

    assert said.startswith("KubeVirt kubevirt/kubevirt could not be removed: ")
    assert f"{reason}. Where virtual machines are the reason" in said
    assert "kubevirt_uninstall_strategy: RemoveWorkloads" in said
    assert bare.operator_image()


@pytest.mark.slow
def test_kubelets_that_metrics_server_does_not_trust_are_named_as_the_reason(bare: BareCluster) -> None:
    bare.install(by=SOMEONE)
    with kubelet(bare.state, SCRAPE_LOG) as port:
        bare.add_node("first", kubelet_port=port)
        bare.add_pod(METRICS_NAMESPACE, "metrics-server-1", "metrics-server", node="first")
        said = bare.run_role(metrics_server_manifest=bare.metrics_server_manifest(is_served=False), wait_timeout=5).message

    assert f"({X509})" in said
    assert "serverTLSBootstrap: true" in said
    assert "kubevirt_metrics_server_kubelet_insecure_tls: true" in said


def test_a_manifest_that_is_missing_is_named_with_its_variable(bare: BareCluster) -> None:
    said = refusal(bare.run_role(operator_manifest="/nowhere/kubevirt-operator.yaml"))

    assert said.startswith("The manifest /nowhere/kubevirt-operator.yaml could not be read: ")
    assert "Set kubevirt_operator_manifest to a file" in said


@pytest.mark.slow
def test_a_manifest_of_something_else_is_refused(bare: BareCluster) -> None:
    said = refusal(bare.run_role(operator_manifest=bare.metrics_server_manifest()))

    assert "has to hold the Deployment virt-operator and no other, but holds metrics-server." in said


def test_a_choice_that_is_not_known_is_refused(bare: BareCluster) -> None:
    said = refusal(bare.run_role(emulation="maybe"))

    assert said.startswith("kubevirt_emulation and kubevirt_metrics_server have to be auto, true or false each, but are maybe and auto.")


def forbid_deletion(bare: BareCluster, reason: str) -> None:
    """Have the API server refuse to delete KubeVirt, as KubeVirt's webhook does while there are virtual machines."""
    group, kind, name = "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "kubevirt-in-use"
    rule = {"apiGroups": ["kubevirt.io"], "apiVersions": ["*"], "operations": ["DELETE"], "resources": ["kubevirts"]}
    policy = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "false", "message": reason}]}
    binding = {"policyName": name, "validationActions": ["Deny"]}
    bare.apply({"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": policy})
    bare.apply({"apiVersion": group, "kind": f"{kind}Binding", "metadata": {"name": name}, "spec": binding})

    def is_refused() -> bool:
        try:
            bare.api.request("DELETE", f"{RESOURCE}?dryRun=All")
        except ApiError as error:
            return reason in str(error)
        return False

    eventually("the deletion to be refused", is_refused, bool, 30)
