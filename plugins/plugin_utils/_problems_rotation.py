# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about what is to be rotated or refreshed. PRIVATE to the collection."""

from __future__ import annotations

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_database import bundled
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_redis import elsewhere
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule

#: The variable that names the image, by what an operator calls it.
_IMAGES = {"db": "lago_postgres_image", "redis": "lago_redis_image", "proxy": "lago_proxy_image"}


def _elsewhere(case: Case) -> dict[str, str]:
    """Return the variable by which each store is not the deployment's own, blank when it is."""
    postgres = "" if bundled(case) else "lago_postgres_url" if case.text("lago_postgres_url") else "lago_postgres_host"
    return {"postgres": postgres, "redis": elsewhere(case, False), "redis_cache": elsewhere(case, True)}


@rule("settings")
def rotation_elsewhere(case: Case) -> Found:
    for store, where in _elsewhere(case).items():
        name = f"{store}_password"
        if name in case.values.get("lago_rotate", []) and where:
            yield (
                "lago_rotate",
                f"lago_rotate names {name}, and by {where} that server is not the deployment's own: change the "
                "password there, then where you give it, and run the playbook site.",
            )


@rule("settings")
def refresh_of_digest(case: Case) -> Found:
    for name in case.values.get("lago_refresh", []):
        if "@" in case.text(_IMAGES[name]):
            yield (
                "lago_refresh",
                f"lago_refresh names {name}, and {_IMAGES[name]} says by its digest which image that is: name another "
                "digest there, or none, and run again.",
            )


@rule("settings")
def refresh_elsewhere(case: Case) -> Found:
    where = _elsewhere(case)
    gone = {"db": where["postgres"], "redis": where["redis"] and where["redis_cache"]}
    for name in case.values.get("lago_refresh", []):
        if gone.get(name):
            yield (
                "lago_refresh",
                f"lago_refresh names {name}, and the deployment has none of its own: leave it out.",
            )
