# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that say what is wrong: see plugin_utils/_problems.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils import _problems


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
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
