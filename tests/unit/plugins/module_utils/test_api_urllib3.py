# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A urllib3 that is too old is said before anything is asked, as one that is missing is."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import urllib3

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _api, _transport
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import DependencyError


def loaded_anew() -> ModuleType:
    """Return the module as it is where it is imported first."""
    specification = importlib.util.spec_from_file_location("transport_anew", Path(str(_transport.__file__)))
    if specification is None or specification.loader is None:
        raise ImportError(_transport.__file__)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_urllib3_before_2_0_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded_anew().HAS_URLLIB3
    monkeypatch.delattr(urllib3, "HTTPHeaderDict")
    assert not loaded_anew().HAS_URLLIB3


def test_a_client_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_api, "HAS_URLLIB3", False)
    with pytest.raises(
        DependencyError, match=r'The Python package "urllib3>=2\.0" is needed to talk to the Kubernetes API, .*: pip install'
    ):
        _api.Api(Connection(server="https://127.0.0.1:1"))
