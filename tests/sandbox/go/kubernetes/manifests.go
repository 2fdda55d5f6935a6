// Copyright (c) 2026 vmscale.kubevirt contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/kwok/kustomize/crd"
	metric "sigs.k8s.io/kwok/kustomize/metrics/resource"
	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	"sigs.k8s.io/kwok/kustomize/stage/node/heartbeat"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

// printKwokManifests prints KWOK's own custom resource definitions, default stages and kubelet metrics as JSON: lists of YAML documents by kind.
func printKwokManifests() {
	manifests := map[string][]string{
		"definitions": {string(crd.Metric), string(crd.ClusterResourceUsage), string(crd.ResourceUsage)},
		"node_stages": {nodefast.DefaultNodeInit, heartbeat.DefaultNodeHeartbeat},
		"pod_stages":  {podfast.DefaultPodReady, podfast.DefaultPodComplete, podfast.DefaultPodDelete},
		"metrics":     {metric.DefaultMetricsResource},
	}
	if err := json.NewEncoder(os.Stdout).Encode(manifests); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
