# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An embedded real cluster: Kubernetes' and KubeVirt's control planes as host processes, on nodes and VMs that KWOK simulates."""

from __future__ import annotations
