# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that say what is wrong: see plugin_utils/_problems.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils import _adoption, _problems
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import known


def adoption(reading: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether and how a deployment of somebody else is taken over: see plugin_utils/_adoption.py."""
    return _adoption.adoption(reading, known(settings))


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "adoption": adoption,
            "admin_problems": _problems.admin_problems,
            "database_problems": _problems.database_problems,
            "known_names": _problems.known_names,
            "name_problems": _problems.name_problems,
            "outside_problems": _problems.outside_problems,
            "outside_warnings": _problems.outside_warnings,
            "problem_report": _problems.problem_report,
            "running_release": _problems.running_release,
            "server_problems": _problems.server_problems,
            "setting_problems": _problems.setting_problems,
            "setting_warnings": _problems.setting_warnings,
        }
