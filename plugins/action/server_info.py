# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module, and imports once what all tasks after it template with.

Ansible makes a process for each task, out of the one that loads the actions. A filter that is first met in such a
process is imported there, by each task anew: a tenth of what a converge with nothing to do computes.
"""

# Imported to be there, not to be used.
# pylint: disable=unused-import
from __future__ import annotations

from typing import Any

import ansible.plugins.filter.core
import ansible.plugins.filter.mathstuff
import ansible.plugins.test.core  # noqa: F401
from ansible.plugins.action import ActionBase
from ansible_collections.selfhosted.lago.plugins.filter import (  # noqa: F401
    certificates,
    docker,
    env,
    images,
    keyed_hash,
    libpq,
    problems,
    redis_quote,
    releases,
    scrubbed,
    services,
    urls,
)


class ActionModule(ActionBase):
    """The action of selfhosted.lago.server_info; the module of this name holds its documentation."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's own result."""
        super().run(tmp, task_vars)
        return dict(self._execute_module(task_vars=task_vars))
