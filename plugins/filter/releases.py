# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters about releases and the way between them: see plugin_utils/_releases.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils import _obstacles, _problems_upgrade, _releases


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "database_release": _releases.database_release,
            "postgres_move": _problems_upgrade.postgres_move,
            "postgres_offer": _obstacles.postgres_offer,
            "upgrade_obstacles": _obstacles.upgrade_obstacles,
            "upgrade_path": _releases.upgrade_path,
        }
