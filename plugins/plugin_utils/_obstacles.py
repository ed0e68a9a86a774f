# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a server from an upgrade that is asked for and allowed: seen before the edge closes. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_releases import FIRST_POSTGRES
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import problem
from ansible_collections.selfhosted.lago.plugins.plugin_utils._releases import name, number, table

#: What Lago's tables need since a release, and which pg_partman at least, where there is one.
_EXTENSIONS = ("pg_trgm", "btree_gin")
_EXTENSIONS_SINCE = (1, 48, 0)
FIRST_PARTMAN = "5"
#: So many jobs may wait in any queue for a moment.
QUEUED = 100


def postgres_offer(said: str) -> dict[str, Any]:
    """Return what an image of PostgreSQL has to offer.

    :param said: What ``postgres --version`` says, and the lines of the control files that name versions.
    :returns: ``major`` and ``extensions`` with their versions.
    """
    version = re.search(r"\(PostgreSQL\) (\d+)", said)
    found = re.findall(r"/(\w+)\.control:\s*default_version\s*=\s*'([^']+)'", said)
    return {"major": int(version[1]) if version else 0, "extensions": dict(found)}


def upgrade_obstacles(
    postgres: Mapping[str, Any], room: Mapping[str, Any], target: str, queued: Sequence[int] = ()
) -> list[dict[str, str]]:
    """Return what keeps the database server, the disk, or the workers, from an upgrade.

    :param postgres: ``major`` of the server, and ``extensions`` that it has to offer, with their versions; where it is
        another one than the present one, ``installed`` are the extensions that the database uses; ``overdue`` says of
        stops that were passed how many rows their jobs have left.
    :param room: ``need`` of a backup and what is ``free``, in bytes, in which ``directory``; ``back`` has the same of
        the way back.
    :param target: The wanted release of the API.
    :param queued: How many jobs waited at a time and some seconds later.
    """
    offered, wanted = postgres["extensions"] or {}, number(target) or (0, 0, 0)
    problems = []
    if wanted >= _EXTENSIONS_SINCE and postgres["major"] < FIRST_POSTGRES:
        text = f"PostgreSQL {postgres['major']} is too old for Lago {target}, which needs {FIRST_POSTGRES} or newer."
        problems.append(problem("lago_postgres_image", "old_postgres_server", text))
    gone = sorted(set(postgres.get("installed") or ()) - set(offered))
    if gone:
        text = f"The wanted image of PostgreSQL lacks {', '.join(gone)}, which the database uses (lago_postgres_image)."
        problems.append(problem("lago_postgres_image", "extension_not_in_image", text))
    lacking = [extension for extension in _EXTENSIONS if extension not in offered]
    if wanted >= _EXTENSIONS_SINCE and lacking:
        text = f"The database server lacks {', '.join(lacking)}, which Lago {target} needs (lago_postgres_image)."
        problems.append(problem("lago_postgres_image", "missing_extension", text))
    partman = offered.get("pg_partman") or FIRST_PARTMAN
    if int(partman.split(".")[0]) < int(FIRST_PARTMAN):
        text = f"pg_partman {partman} is too old: Lago needs {FIRST_PARTMAN} or newer (lago_postgres_image)."
        problems.append(problem("lago_postgres_image", "old_partman", text))
    for stop in table().stops:
        rows = (postgres.get("overdue") or {}).get(name(stop.release))
        if rows and stop.demanded:
            text = (
                f"The jobs of {name(stop.release)} were never done: {rows} rows are left, with which the migrations of "
                f"{name(stop.demanded)} fail for good. Have them done, in a container of the API: bundle exec rails "
                f"{stop.late}, and run again when the worker is through with it."
            )
            problems.append(problem("lago_version", "jobs_overdue", text))
    for what, place in (("A backup", room), ("The way back, should it be needed,", room["back"])):
        if place["need"] > place["free"]:
            text = f"{what} needs {place['need']} bytes in {place['directory']}, where {place['free']} are free."
            problems.append(problem("lago_backup_directory", "no_room_for_a_backup", f"{text} Free some."))
    if queued and queued[-1] > max(queued[0], QUEUED):
        text = (
            f"The queue grows: {queued[0]} jobs waited, and {queued[-1]} a few seconds later. Workers that do not keep "
            "up would leave them to the newer release: wait, or add workers (lago_workers)."
        )
        problems.append(problem("lago_workers", "queue_grows", text))
    return problems
