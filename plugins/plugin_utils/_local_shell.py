# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it can change at any time.

"""The local shell: the engine inside ansible's own worker.

A task whose connection is local needs no module packed, copied and started: the engine runs where ansible runs, and can show its
progress while it waits. Everything else (``delegate_to`` another machine, ``async``, ``become``, another interpreter) goes to the
module of the same name.
"""

from __future__ import annotations

import glob
import json
import os
import sys
import threading
import time
import typing as t

from ansible import constants as C  # noqa: N812
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _wait, _wait_autoscaler, _wait_replica_set, _yaml
from ansible_collections.vmscale.kubevirt.plugins.module_utils._arguments import (
    MODULES,
    Module,
    hidden_values,
    run,
    shown_arguments,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._documents import joined_files, list_files, read_text
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError, OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task

# Ansible imports this once a play and then forks a worker for each task: what many of them use is imported here, for all of them.
SHARED_BY_WORKERS = (_wait, _wait_autoscaler, _wait_replica_set, _yaml)
display = Display()
_LOOK_EVERY_SECONDS = 0.2


class LocalShell(ActionBase):
    """The action plugin of every module of this collection; a subclass says which by ``module_name``, and what it does by ``operation``."""

    _supports_check_mode = True
    _supports_async = True
    module_name: str

    @staticmethod
    def operation(task: Task) -> Result:
        """What the module does."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        variables = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, variables)
        if self._runs_here(variables):
            result.update(self._run_here(MODULES[self.module_name]))
            if not _is_invocation_shown(variables):
                result.pop("invocation", None)
        else:
            result.update(self._run_module(variables))
        return result

    def _runs_here(self, variables: dict[str, t.Any]) -> bool:
        if self._task.async_val or self._connection.become is not None:
            return False
        return self._is_connection_local() and _is_own_interpreter(self._interpreter(variables))

    def _is_connection_local(self) -> bool:
        return str(self._connection.transport).rpartition(".")[2] == "local"

    def _interpreter(self, variables: dict[str, t.Any]) -> str | None:
        own = variables.get("ansible_playbook_python")
        if self._task.delegate_to:
            variables = (variables.get("ansible_delegated_vars") or {}).get(self._task.delegate_to) or {}
        value = variables.get("ansible_python_interpreter")
        # What localhost has, unless somebody chose otherwise: a template costs more than the request that most tasks send.
        if own is not None and str(value).replace(" ", "") == "{{ansible_playbook_python}}":
            return str(own)
        return None if value is None else str(self._templar.template(value))

    def _run_here(self, module: Module) -> dict[str, t.Any]:
        arguments = self._task.args.copy()
        try:
            files = self._read_files(arguments.get("src"))
        except EngineError as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        for option in ("kubeconfig",) if files is not None else ("src", "kubeconfig"):
            problem = self._locate(arguments, option)
            if problem:
                return {"failed": True, "changed": False, "msg": problem}
        # Values from a play are tagged with their origin; the engine works on plain ones.
        arguments = json.loads(json.dumps(arguments, default=str))
        validator = ArgumentSpecValidator(
            module.argument_spec,
            mutually_exclusive=[list(group) for group in module.mutually_exclusive],
            required_one_of=[list(group) for group in module.required_one_of],
        )
        validation = validator.validate(arguments)
        if validation.errors.errors:
            return {"failed": True, "changed": False, "msg": self._say_invalid(validation)}
        params = validation.validated_parameters
        _end_with_ansible()
        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)
        task = Task(
            params=params,
            environ={**os.environ, **{str(key): str(value) for key, value in environment.items()}},
            check_mode=bool(self._task.check_mode),
            is_diff_wanted=bool(self._task.diff),
            report=self._report_progress,
            files=files,
        )
        outcome = run(self.operation, task)
        _name_source(outcome.result, self._task.args.get("src"), params.get("src"))
        result = {**outcome.result, "invocation": {"module_args": shown_arguments(params)}}
        if outcome.warnings:
            result["warnings"] = list(outcome.warnings)
        hidden = hidden_values(params) | set(validation._no_log_values)
        if not hidden:
            return result
        kept = {key: value for key, value in result.items() if value is None or isinstance(value, bool)}
        return {**remove_values(result, hidden), **kept}

    def _say_invalid(self, validation: t.Any) -> str:
        message = str(validation.errors.msg)
        if isinstance(validation.errors.errors[0], UnsupportedError):
            return f"Unsupported parameters for ({self._task.action}) module: {message}"
        return message

    def _report_progress(self, line: str) -> None:
        if not self._task.no_log:
            display.display(line)

    def _locate(self, arguments: dict[str, t.Any], option: str) -> str | None:
        """Find the file that ``option`` names where ansible looks for files, decrypt it if need be; says what is wrong."""
        value = arguments.get(option)
        if not isinstance(value, str) or not value:
            return None
        found = []
        for part in value.split(os.pathsep) if option == "kubeconfig" else [value]:
            try:
                path = self._find_needle("files", os.path.expanduser(part))
                found.append(self._loader.get_real_file(path, decrypt=True))
            except AnsibleError as error:
                if "ault" in str(error):
                    return f'The file "{part}" that the option "{option}" names cannot be decrypted: {error}'
                return f'The file "{part}" that the option "{option}" names does not exist on this machine.'
        arguments[option] = os.pathsep.join(str(path) for path in found)
        return None

    def _find_needle(self, dirname: str, needle: str) -> str:
        """Where ansible looks for files, and at last where it was started: that is the project, also where the playbook is not in it."""
        try:
            return str(super()._find_needle(dirname, needle))
        except AnsibleError:
            if os.path.exists(needle):
                return os.path.abspath(needle)
            raise

    def _read_files(self, source: t.Any) -> tuple[tuple[str, str], ...] | None:
        """The files of the directory or pattern ``source``, by name, decrypted if need be; None for a single file, or nothing here.

        Raises ``EngineError``.
        """
        if not isinstance(source, str) or not source:
            return None
        beginning, pattern = (source, "") if self._find_place(source) else _split_pattern(source)
        place = self._find_place(beginning, pattern)
        found = None if place is None else list_files(os.path.join(glob.escape(place), pattern) if pattern else place, source)
        if place is None or found is None:
            return None
        # Messages name a file as the user would, not where it lies here.
        names = [os.path.join(beginning, os.path.relpath(path, place)) for path in found]
        return tuple((name, self._read_file(path, name)) for name, path in zip(names, found))

    def _find_place(self, beginning: str, pattern: str = "") -> str | None:
        """Where ansible looks for files: the directory that a pattern begins with, or a file or directory; None where there is none."""
        if beginning:
            try:
                return str(self._find_needle("files", os.path.expanduser(beginning)))
            except AnsibleError:
                return None
        bases = [*self._task.get_search_path(), self._loader.get_basedir()]
        places = [*(os.path.join(base, part) for base in bases for part in ("files", "")), os.getcwd()]
        return next((place for place in places if glob.glob(os.path.join(glob.escape(place), pattern))), None)

    def _read_file(self, path: str, name: str) -> str:
        try:
            return read_text(self._loader.get_real_file(path, decrypt=True), name)
        except AnsibleError as error:
            what = "decrypted" if "ault" in str(error) else "read"
            raise OptionError(f'The file "{name}" of the option "src" cannot be {what}: {error}') from error

    def _run_module(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        arguments = self._task.args.copy()
        if self._is_connection_local():
            problem = self._locate(arguments, "kubeconfig")
            if problem:
                return {"failed": True, "changed": False, "msg": problem}
        source = arguments.get("src")
        problem = self._carry_source(arguments)
        if problem:
            return {"failed": True, "changed": False, "msg": problem}
        wrap_async = self._task.async_val and not self._connection.has_native_async
        result: dict[str, t.Any] = self._execute_module(
            module_name=f"vmscale.kubevirt.{self.module_name}", module_args=arguments, task_vars=variables, wrap_async=wrap_async
        )
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        _name_source(result, source, arguments.get("src"))
        return result

    def _carry_source(self, arguments: dict[str, t.Any]) -> str | None:
        """Bring the file ``src`` to where the module runs; a file that is only there already is left to the module."""
        source = arguments.get("src")
        if not isinstance(source, str) or not source:
            return None
        try:
            files = self._read_files(source)
        except EngineError as error:
            return str(error)
        if files is not None:
            content = joined_files(files).encode()
        else:
            problem = self._locate(arguments, "src")
            if problem:
                arguments["src"] = source
                return problem if self._is_connection_local() else None
            with open(str(arguments["src"]), "rb") as stream:
                content = stream.read()
        directory = self._connection._shell.tmpdir or self._make_tmp_path()
        path = self._connection._shell.join_path(directory, os.path.basename(source) if files is None else "manifests.yml")
        self._transfer_data(path, content)
        self._fixup_perms2((directory, path))
        arguments["src"] = path
        return None


def _name_source(result: dict[str, t.Any], given: t.Any, located: t.Any) -> None:
    """The user knows the file ``src`` by the name that was given, not by that of its copy or of its decrypted form."""
    if given and isinstance(result.get("msg"), str):
        result["msg"] = result["msg"].replace(str(located), str(given))


def _split_pattern(source: str) -> tuple[str, str]:
    """The directories before a pattern, and the pattern; no pattern where there is none."""
    if not glob.has_magic(source):
        return source, ""
    parts = source.split(os.sep)
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return os.sep.join(parts[:first]) or (os.sep if first else ""), os.path.join(*parts[first:])


def _is_own_interpreter(interpreter: str | None) -> bool:
    """True where ``interpreter`` is the Python that ansible itself runs on, or none was chosen."""
    if interpreter is None or interpreter.startswith("auto"):
        return True
    same_place = os.path.dirname(interpreter) == os.path.dirname(sys.executable)
    return interpreter == sys.executable or (same_place and os.path.exists(interpreter) and os.path.samefile(interpreter, sys.executable))


def _is_invocation_shown(variables: dict[str, t.Any]) -> bool:
    """Ansible-core 2.21 shows it on request only; before, there was no such setting."""
    setting = "INJECT_INVOCATION"
    return setting not in C.config.get_configuration_definitions() or bool(C.config.get_config_value(setting, variables=variables))


def _end_with_ansible() -> None:
    """End this worker when Ansible does. Who kills Ansible leaves its workers alone, and a rollout would go on that nobody sees."""
    ansible = os.getppid()

    def look() -> None:
        while os.getppid() == ansible:
            time.sleep(_LOOK_EVERY_SECONDS)
        os._exit(1)

    threading.Thread(target=look, name="end with ansible", daemon=True).start()
