# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about a server with a Lago that was, or is being, taken over. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule


def _adopted(case: Case) -> Mapping[str, Any]:
    return (case.server.get("files") or {}).get("adopted") or {}


@rule("server")
def adoption_broken_off(case: Case) -> Found:
    adopted = _adopted(case)
    if adopted.get("phase") == "taking":
        yield (
            "lago_adopt_project",
            f"The run that took over {adopted['project']} did not end: run the playbook adopt again with "
            "lago_adopt_project, which puts it back first, and then begins anew.",
        )


@rule("server")
def adopted_at_work(case: Case) -> Found:
    names = case.server.get("adopted_at_work") or []
    if names and _adopted(case).get("phase") == "done":
        yield (
            "lago_project",
            f"{', '.join(names)} run again, whose data lago_project has taken over: two databases on one volume "
            "destroy it. Stop them with docker stop, and find out what starts them.",
        )
