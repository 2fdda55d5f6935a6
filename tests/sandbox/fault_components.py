# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Components that are down."""

from __future__ import annotations

from sandbox import lifecycle
from sandbox.fault import CLUSTER, Fault, Site, Target


def _down(name: str, component: str, text: str) -> Fault:
    return Fault(
        name,
        CLUSTER,
        f"{text} is down",
        lambda site, _target: lifecycle.halt(site.sandbox, [component]),
        lambda site, _target: _resume(site, component),
        lambda site: [Target()] if site.sandbox.halted(component).exists() else [],
        stops=True,
    )


def _resume(site: Site, component: str) -> None:
    if not site.sandbox.halted(component).exists():
        return
    lifecycle.resume(site.sandbox, [component])
    if any(site.sandbox.halted(name).exists() for name in ("etcd", "kube-apiserver")):
        site.say(f"{component} starts once the API server is up")
    else:
        lifecycle.await_health(site.sandbox, [component])


COMPONENT_FAULTS = (
    _down("api-down", "kube-apiserver", "kube-apiserver"),
    _down("metrics-down", "metrics-server", "metrics-server"),
    _down("virt-controller-down", "virt-controller", "virt-controller"),
    _down("virt-api-down", "virt-api", "virt-api, and with it KubeVirt's admission,"),
    _down("autoscaler-down", "kube-controller-manager", "kube-controller-manager, and with it the autoscaler,"),
    _down("scheduler-down", "kube-scheduler", "kube-scheduler"),
)
