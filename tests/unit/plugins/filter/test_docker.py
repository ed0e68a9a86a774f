# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of role docker, under the names by which the role calls them."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.selfhosted.lago.plugins.filter.docker import FilterModule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._docker import docker_daemon_config, docker_plan

ROLE = Path(__file__).parents[4] / "roles" / "docker"


def test_each_name_is_its_function() -> None:
    assert FilterModule().filters() == {"docker_plan": docker_plan, "docker_daemon_config": docker_daemon_config}


def test_the_role_calls_them_all() -> None:
    text = "\n".join(path.read_text() for path in ROLE.rglob("*.yml"))
    assert set(re.findall(r"selfhosted\.lago\.(docker_\w+)", text)) == set(FilterModule().filters())
