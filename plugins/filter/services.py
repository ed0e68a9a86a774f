# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of one deployment, from the table of all that there can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import release
from ansible_collections.selfhosted.lago.plugins.plugin_utils._processes import connections

Row = dict[str, Any]
_DEFAULT = "default"
_LABEL = "selfhosted.lago.config"


def _service(worker: Row) -> str:
    name = worker.get("name")
    return "worker" if name == _DEFAULT else f"worker-{name}"


def _worker(row: Row, worker: Row) -> Row:
    """Return the row of the default worker as that of another one."""
    made = dict(row)
    if worker["name"] != _DEFAULT:
        made["command"] = [f"./scripts/start.{worker['name']}.worker.sh"]
    if worker.get("memory"):
        made["memory"] = worker["memory"]
    if worker.get("concurrency"):
        made["environment"] = {"SIDEKIQ_CONCURRENCY": str(worker["concurrency"])}
    if int(worker.get("replicas") or 1) > 1:
        made["replicas"] = int(worker["replicas"])
    return made


def lago_services(table: Mapping[str, Any], workers: Sequence[Mapping[str, Any]] = ()) -> dict[str, Row]:
    """Return the rows that a deployment has.

    A row whose C(when) is false is left out, also where others need it. The row C(worker) stands for all workers: each
    of the list has its own, and whatever needs the default one needs them all.

    :param table: rows by service, as roles/stack/vars/main.yml has them.
    :param workers: rows of ``lago_workers``; one named C(default) changes the worker that is always there.
    """
    rows: dict[str, Row] = {name: dict(row) for name, row in plain(table).items() if row.get("when", True)}
    asked = [dict(worker) for worker in plain(workers)]
    if not any(worker.get("name") == _DEFAULT for worker in asked):
        asked.insert(0, {"name": _DEFAULT})
    all_workers = {_service(worker): worker for worker in asked}
    services: dict[str, Row] = {}
    for name, row in rows.items():
        row.pop("when", None)
        if "needs" in row:
            named = [every for need in row["needs"] for every in (all_workers if need == "worker" else [need])]
            row["needs"] = [need for need in named if need in all_workers or need in rows]
        if name != "worker":
            services[name] = row
            continue
        services.update((service, _worker(row, worker)) for service, worker in all_workers.items())
    return services


def containers_behind(containers: Any, images: Mapping[str, str], labels: Mapping[str, str]) -> list[str]:
    """Return the services whose containers will be made anew: with another image, or for another configuration.

    :param containers: those that are there, by service, as module ``server_info`` returns them.
    :param images: what each service is made of.
    :param labels: the keyed hash of each service's configuration; services without one are left out.
    """
    there, used = plain(containers), plain(images)
    return [
        name
        for name, label in plain(labels).items()
        if name in there and (there[name]["image"], there[name]["labels"].get(_LABEL)) != (used[name], label)
    ]


def worker_flags(workers: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    """Return the variable for each dedicated worker by which Lago sends the jobs there, for every process of it."""
    names = [str(worker.get("name")) for worker in plain(workers)]
    return {f"SIDEKIQ_{name.upper()}": True for name in names if name != _DEFAULT}


def lago_connections(
    workers: Sequence[Mapping[str, Any]], pool: Any = None, puma_workers: Any = None, version: Any = ""
) -> int:
    """Return how many connections all pools of a deployment together may open to the database."""
    return connections(plain(workers), plain(pool), plain(puma_workers), release(plain(version)))


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "containers_behind": containers_behind,
            "lago_connections": lago_connections,
            "lago_services": lago_services,
            "worker_flags": worker_flags,
        }
