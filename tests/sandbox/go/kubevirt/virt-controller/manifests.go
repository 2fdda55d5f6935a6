// Copyright (c) 2026 vmscale.kubevirt contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"io"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/components"
	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/rbac"
)

const namespace = "kubevirt"

// printManifests prints, as JSON lists by kind, what virt-operator would have installed: it cannot run here, since its install job needs a container.
func printManifests(out io.Writer) error {
	definitions, err := customResourceDefinitions()
	if err != nil {
		return err
	}
	var access []runtime.Object
	access = append(access, rbac.GetAllCluster()...)
	access = append(access, rbac.GetAllApiServer(namespace)...)
	access = append(access, rbac.GetAllController(namespace, true)...)
	access = append(access, rbac.GetAllHandler(namespace)...)
	return json.NewEncoder(out).Encode(map[string]any{
		"definitions": definitions,
		"access":      access,
		"webhooks": []any{
			components.NewVirtAPIMutatingWebhookConfiguration(namespace),
			components.NewVirtAPIValidatingWebhookConfiguration(namespace),
		},
		"priorities": []any{components.NewKubeVirtPriorityClassCR()},
	})
}

func customResourceDefinitions() ([]*extv1.CustomResourceDefinition, error) {
	var definitions []*extv1.CustomResourceDefinition
	for _, define := range []func() (*extv1.CustomResourceDefinition, error){
		components.NewKubeVirtCrd,
		components.NewMigrationPolicyCrd,
		components.NewPresetCrd,
		components.NewReplicaSetCrd,
		components.NewVirtualMachineBackupCrd,
		components.NewVirtualMachineBackupTrackerCrd,
		components.NewVirtualMachineCloneCrd,
		components.NewVirtualMachineClusterInstancetypeCrd,
		components.NewVirtualMachineClusterPreferenceCrd,
		components.NewVirtualMachineCrd,
		components.NewVirtualMachineExportCrd,
		components.NewVirtualMachineInstanceCrd,
		components.NewVirtualMachineInstanceMigrationCrd,
		components.NewVirtualMachineInstancetypeCrd,
		components.NewVirtualMachinePoolCrd,
		components.NewVirtualMachinePreferenceCrd,
		components.NewVirtualMachineRestoreCrd,
		components.NewVirtualMachineSnapshotContentCrd,
		components.NewVirtualMachineSnapshotCrd,
	} {
		definition, err := define()
		if err != nil {
			return nil, err
		}
		definitions = append(definitions, definition)
	}
	return definitions, nil
}
