# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module, and tells while it works that it goes on."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _progress


class ActionModule(ActionBase):
    """The action of selfhosted.lago.progress; the module of this name holds its documentation."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's own result."""
        super().run(tmp, task_vars)
        _ignored, args = self.validate_argument_spec(
            argument_spec={
                "module": {"type": "str", "required": True},
                "options": {"type": "dict", "default": {}},
                "every": {"type": "int", "default": 10},
            }
        )
        with _progress.told(self._task, task_vars, args["every"]):
            return dict(
                self._execute_module(module_name=args["module"], module_args=args["options"], task_vars=task_vars)
            )
