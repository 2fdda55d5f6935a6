// Copyright (c) 2026 vmscale.kubevirt contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command virt-controller is KubeVirt's controller, and prints KubeVirt's manifests when it is called by another name.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"kubevirt.io/kubevirt/pkg/virt-controller/watch"
)

func main() {
	switch name := filepath.Base(os.Args[0]); name {
	case "virt-controller":
		watch.Execute()
	case "kubevirt-manifests":
		if err := printManifests(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		fmt.Fprintf(os.Stderr, "unknown component %q\n", name)
		os.Exit(2)
	}
}
