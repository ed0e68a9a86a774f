# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of a deployment, and the connections that they may open. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: What Lago takes where nothing is said (config/database.yml, config/puma.rb, config/sidekiq of v1.51.0).
POOL = 10
THREADS = 3
_CONCURRENCY = 10
_CONCURRENCIES = {"alerts": 5, "billing": 5, "clock": 5}
#: Pools of a process: the primary and the events' side; from v1.52.0 on a direct one too.
_POOLS, _POOLS_LATER, _LATER = 2, 3, (1, 52, 0)
#: Beside the processes: the clock, a migration, and those who look (the collection's own readings, a person).
_OTHERS = 2
_RESERVE = 10


def concurrency(worker: Mapping[str, Any]) -> int:
    """Return how many jobs a worker does at a time."""
    return int(worker.get("concurrency") or _CONCURRENCIES.get(str(worker.get("name")), _CONCURRENCY))


def connections(
    workers: Sequence[Mapping[str, Any]],
    pool: int | None,
    puma_workers: int | None,
    release: tuple[int, int, int] | None,
) -> int:
    """Return how many connections all pools together may open to the database.

    :param workers: rows of ``lago_workers``.
    :param pool: ``lago_postgres_pool``.
    :param puma_workers: ``lago_puma_workers``.
    :param release: that of the API.
    """
    dedicated = sum(int(worker.get("replicas") or 1) for worker in workers if worker.get("name") != "default")
    ordinary = next((int(worker.get("replicas") or 1) for worker in workers if worker.get("name") == "default"), 1)
    processes = dedicated + ordinary + max(int(puma_workers or 0), 1) + _OTHERS
    pools = _POOLS_LATER if release and release >= _LATER else _POOLS
    return processes * pools * int(pool or POOL) + _RESERVE
