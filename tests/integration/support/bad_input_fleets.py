# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users get wrong with fleets, and the sentence that each gets."""

from __future__ import annotations

from integration.support.bad_input import HPA, SCALER, SET, SETS, WEB, Row, changed
from integration.support.manifests import replica_set

OTHER = replica_set("other", 1)
READER = {"kubeconfig": "<admin>", "impersonate_user": "reader"}
LABEL = "vmscale.kubevirt/fleet"

FLEETS = (
    Row(
        "a list with another kind",
        "vmirs",
        {"definition": [WEB, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}}]},
        f'"definition" (object 2) is a ConfigMap: it must be a {SET}.',
    ),
    Row("a list without a set", "vmirs", {"definition": [HPA]}, f'"definition" describes no {SET}.'),
    Row("an empty list", "hpa", {"definition": []}, f'"definition" describes no {SCALER}.'),
    Row(
        "a list with a mere text", "vmirs", {"definition": [WEB, "web"]}, '"definition" is no Kubernetes object: it holds a text where ...'
    ),
    Row(
        "the same set twice",
        "vmirs",
        {"definition": [WEB, changed(WEB, "metadata.namespace", "<namespace>")]},
        f"{SET} <namespace>/web is described twice: describe each object once.",
    ),
    Row(
        "two sets of three that are described wrongly",
        "vmirs",
        {"definition": [changed(WEB, "spec.replicas", -1), OTHER, changed(OTHER, "metadata.name", "Other")]},
        '2 of 3 objects are not described as they must be. "definition" (object 1): "replicas" (spec.replicas) is -1: it must be 0 or '
        'more. "definition" (object 3): The name "Other" is not a DNS-1123 subdomain: ...',
    ),
    Row(
        "an option that can only hold for one",
        "vmirs",
        {"definition": [WEB, OTHER], "replicas": 3},
        '"replicas" describes one object, and "src" or "definition" may hold many: say it there.',
    ),
    Row(
        "a directory that does not exist",
        "vmirs",
        {"src": "<files>/nothing/"},
        'The file "<files>/nothing/" that the option "src" names does not exist on this machine.',
    ),
    Row(
        "a directory without manifests",
        "vmirs",
        {"src": "<files>/empty"},
        '"src" <files>/empty names nothing: the directory has no file that ends with .yml, .yaml, .json.',
    ),
    Row(
        "a pattern that matches nothing",
        "hpa",
        {"src": "<files>/*.hpa"},
        '"src" <files>/*.hpa names nothing: no file matches the pattern.',
    ),
    Row(
        "a directory with a file that is not YAML",
        "vmirs",
        {"src": "<files>/fleet"},
        '"src" <files>/fleet/broken.yaml is not YAML (line 2, column 9): did not find expected ...',
    ),
    Row(
        "a pattern for a file with another kind",
        "vmirs",
        {"src": "<files>/fleet/[pw]*"},
        f'"src" <files>/fleet/pod.yaml (object 2) is a Pod: it must be a {SET}.',
    ),
    Row(
        "a fleet that is no label value",
        "vmirs",
        {"definition": WEB, "fleet": "web sets"},
        '"fleet" is "web sets", which is no label value: letters, digits, "-", "_" and ".", at most 63 characters.',
    ),
    Row("a fleet of nothing", "vmirs", {"fleet": "web"}, '"fleet" takes its objects from "src" or "definition".'),
    Row(
        "a set of another fleet",
        "vmirs",
        {"definition": changed(WEB, "metadata.labels", {LABEL: "db"}), "fleet": "web"},
        f'"definition": its label {LABEL} is "db", and "fleet" is "web": an object has one fleet.',
    ),
    Row(
        "the label of the fleet among the labels",
        "vmirs",
        {"definition": WEB, "fleet": "web", "labels": {LABEL: "web"}},
        f'"labels" has {LABEL}, which is what "fleet" gives: say it in one place.',
    ),
    Row(
        "pruning without a fleet",
        "vmirs",
        {"definition": [WEB], "prune": True},
        '"prune" needs "fleet", whose label tells what may be removed.',
    ),
    Row(
        "pruning what is to be absent",
        "hpa",
        {"definition": [HPA], "fleet": "web", "prune": True, "state": "absent"},
        '"prune" and "state: absent" exclude each other: either what is described stays, or it goes.',
    ),
    Row(
        "pruning in a namespace that is none",
        "vmirs",
        {"definition": [WEB], "fleet": "web", "prune": True, "prune_namespaces": ["Web"]},
        'The namespace "Web" is not a DNS-1123 label: ...',
    ),
    Row(
        "pruning in a namespace that may not be read",
        "vmirs",
        {"definition": [WEB], "fleet": "web", "prune": True, "prune_namespaces": ["kube-system"], **READER},
        f'User "reader" may not list {SETS} in namespace "kube-system": a Role or ClusterRole must grant the verb "list" on {SETS}.',
    ),
    Row(
        "another way to take failures",
        "vmirs",
        {"definition": [WEB], "on_failure": "ignore"},
        "value of on_failure must be one of: continue, stop, got: ignore",
    ),
    Row(
        "a fleet of a user who may only read",
        "vmirs",
        {"definition": [WEB, OTHER], **READER},
        f'2 of 2 sets failed: <namespace>/web, <namespace>/other: User "reader" may not patch {SETS} in namespace "<namespace>": a Role or '
        f'ClusterRole must grant the verb "patch" on {SETS}.',
    ),
    Row(
        "a fleet of a user without rights",
        "hpa",
        {"definition": [HPA], "kubeconfig": "<nobody>"},
        '1 of 1 autoscalers failed: <namespace>/web: User "vmscale-nobody" may not list horizontalpodautoscalers.autoscaling in namespace '
        '"<namespace>": a Role or ClusterRole must grant the verb "list" on horizontalpodautoscalers.autoscaling.',
    ),
    Row(
        "a fleet with a set in a namespace that does not exist",
        "vmirs",
        {"definition": [changed(WEB, "metadata.namespace", "none")]},
        '1 of 1 sets failed: none/web: Namespace "none" does not exist: create it first, or name another one with the option "namespace".',
    ),
    Row(
        "a fleet without its cluster",
        "vmirs",
        {"definition": [WEB, OTHER], "host": "https://127.0.0.1:1", "api_key": "some-token"},
        "2 of 2 sets failed: <namespace>/web, <namespace>/other: No Kubernetes API server answers at https://127.0.0.1:1 ...",
    ),
)
