# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the names on port 80 from the controller, which is outside of the server's network more often than not."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.selfhosted.lago.plugins.module_utils import _certificate

_STAGING = (
    "lago_acme_directory is a test server of Let's Encrypt: no browser and no client trusts its certificates. Leave it"
    " out for the real one."
)


class ActionModule(ActionBase):
    """The action of selfhosted.lago.certificate; the module of this name holds its documentation."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        asked = not self._task.check_mode and not self._task.args.get("own")
        names = self._task.args.get("names") or [] if asked else []
        args = dict(self._task.args, seen={name: _certificate.fetch(name) for name in names})
        result = dict(self._execute_module("selfhosted.lago.certificate", module_args=args, task_vars=task_vars))
        if "//acme-staging" in str(self._task.args.get("config")):
            result["warnings"] = [*result.get("warnings", []), _STAGING]
        result.pop("invocation", None)
        return result
