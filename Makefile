# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything is bootstrapped from Python 3.11 or later. ARGS goes on to the program of a stage:
#   make unit ARGS="-k describe"    make integration ARGS="-k playbooks -x"    make molecule ARGS="-s role-scale"

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
ARGS ?=
DEV = PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m dev
COMMANDS = demo test test-kind test-kind-if-made lint unit sanity units versions integration molecule docs bench sandbox-up sandbox-down clean

.PHONY: help $(COMMANDS)
.DEFAULT_GOAL := help

help:
	@echo "make demo          the whole story on the sandbox: ensure, verify, scale out under load, scale in"
	@echo "make test          every check and test, with counts at the end"
	@echo "make lint          ruff, mypy, yamllint, ansible-lint, antsibull-docs, antsibull-changelog, the site, REUSE, the archive"
	@echo "make unit          unit tests"
	@echo "make sanity        ansible-test sanity, and which of its tests could not run here"
	@echo "make units         ansible-test units: the unit tests of the plugins, each in a process of its own"
	@echo "make versions      unit and integration tests on every supported version; writes the table of the README"
	@echo "make integration   modules, roles and playbooks on the sandbox, or on the cluster of KUBECONFIG"
	@echo "make molecule      a scenario for each role and playbook, on one sandbox"
	@echo "make docs          the documentation's site; says where it is"
	@echo "make test-kind     the molecule scenario on a kind cluster with KubeVirt, whose VMs boot"
	@echo "make bench         measure beside kubernetes.core and kubectl, and write docs/performance.md"
	@echo "make sandbox-up    bring the sandbox up and print its kubeconfig"
	@echo "make sandbox-down  end all sandboxes"
	@echo "make clean         end all sandboxes and remove what this checkout has cached"

$(COMMANDS):
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or later with its venv module is needed, and none was found (Debian: apt-get install python3-venv)." >&2; exit 1; fi
	@$(DEV) $@ -- "$(ARGS)"
