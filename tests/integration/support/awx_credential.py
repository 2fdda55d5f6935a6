# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX's credentials put into the environment of a job."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

Injector = Callable[[Path], dict[str, str]]
"""Returns the variables of a job, and writes the files that they name into a directory."""


@dataclass(frozen=True)
class BearerToken:
    """A credential of the type *OpenShift or Kubernetes API Bearer Token*."""

    host: str
    token: str
    ca_text: str | None = None
    verify: bool = True

    def __call__(self, directory: Path) -> dict[str, str]:
        """Return its four variables, or three: without the text of a CA nothing is verified, whatever was ticked."""
        variables = {"K8S_AUTH_HOST": self.host, "K8S_AUTH_API_KEY": self.token}
        if self.verify and self.ca_text is not None:
            return {**variables, "K8S_AUTH_VERIFY_SSL": "True", "K8S_AUTH_SSL_CA_CERT": str(_private_file(directory, self.ca_text))}
        return {**variables, "K8S_AUTH_VERIFY_SSL": "False"}


@dataclass(frozen=True)
class CustomCredential:
    """A credential of a type that somebody has described, and what they entered into it."""

    type: Mapping[str, Any]
    inputs: Mapping[str, str]

    def __call__(self, directory: Path) -> dict[str, str]:
        """Return what the injectors of the type make of the inputs."""
        environment = ImmutableSandboxedEnvironment()
        injectors = self.type["injectors"]
        content = environment.from_string(injectors["file"]["template"]).render(self.inputs)
        names = {**self.inputs, "tower": {"filename": str(_private_file(directory, content))}}
        return {key: environment.from_string(text).render(names) for key, text in injectors["env"].items()}


def type_error(type: Mapping[str, Any]) -> str | None:  # noqa: A002
    """Return what the API says to a credential type that it refuses: for what it injects, and what that is made of."""
    names = {each["id"]: "" for each in type["inputs"].get("fields", [])}
    unlabelled = [each["id"] for each in type["inputs"].get("fields", []) if not each.get("label")]
    if unlabelled:
        return f"{unlabelled[0]} has no label"
    files, variables = type["injectors"].get("file", {}), type["injectors"].get("env", {})
    if any(name.startswith("ANSIBLE_") for name in variables):
        return "variables of Ansible may not be injected"
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    known = {**names, "tower": {"filename": ""} if "template" in files else {}}
    for text in (*files.values(), *variables.values()):
        try:
            environment.from_string(text).render(known)
        except TemplateError as error:
            return f"{text!r}: {error}"
    return None


def _private_file(directory: Path, content: str) -> Path:
    with tempfile.NamedTemporaryFile("w", dir=directory, delete=False, encoding="utf-8") as stream:
        stream.write(content)
    return Path(stream.name)
