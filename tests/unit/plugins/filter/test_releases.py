# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters about releases, by name."""

from __future__ import annotations

from ansible_collections.selfhosted.lago.plugins.filter.releases import FilterModule
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _obstacles, _problems_upgrade, _releases


def test_each_name_is_its_function() -> None:
    assert FilterModule().filters() == {
        "database_release": _releases.database_release,
        "postgres_move": _problems_upgrade.postgres_move,
        "postgres_offer": _obstacles.postgres_offer,
        "upgrade_obstacles": _obstacles.upgrade_obstacles,
        "upgrade_path": _releases.upgrade_path,
    }
