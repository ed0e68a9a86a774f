# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What Docker and the stores say about a deployment that is a Compose project on this host."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils import _deployment_queue
from ansible_collections.selfhosted.lago.plugins.module_utils._container import Run
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_report import Report
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._patience import patiently

_LABEL = "com.docker.compose"
# Only what is needed: the rest of a container's description holds its environment.
_FORMAT = (
    '{"name":{{json .Name}},"service":{{json (index .Config.Labels "com.docker.compose.service")}},'
    '"oneoff":{{json (index .Config.Labels "com.docker.compose.oneoff")}},"state":{{json .State}},'
    '"restarts":{{json .RestartCount}}}'
)
_NEXT_PARTITION = (
    "SELECT 'next_partition', count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = to_regclass('public.enriched_events') AND pg_get_expr(c.relpartbound, c.oid) LIKE"
    " '%FROM (''' || to_char(date_trunc('month', now() + interval '1 month'), 'YYYY-MM-DD') || '%'"
)
# One statement each: what is not there yet makes its own fail and leaves the others alone.
_QUERIES = (
    "SELECT 'schema_version', max(version) FROM public.schema_migrations",
    "SELECT 'roles', count(*) FROM public.roles WHERE organization_id IS NULL",
    "SELECT 'encrypted_rows', (SELECT count(*) FROM public.payment_providers WHERE secrets IS NOT NULL)"
    " + (SELECT count(*) FROM public.integrations WHERE secrets IS NOT NULL)",
    "SELECT 'invalid_indexes', count(*) FROM pg_index WHERE NOT indisvalid",
    "SELECT 'partitioned', count(*) FROM pg_partitioned_table WHERE partrelid = to_regclass('public.enriched_events')",
    "SELECT 'partman', count(*) FROM pg_available_extensions WHERE name = 'pg_partman'",
    "SELECT 'configured', count(*) FROM partman.part_config WHERE parent_table = 'public.enriched_events'",
    "SELECT 'maintenance_last_run', max(maintenance_last_run) FROM partman.part_config",
    _NEXT_PARTITION,
    "SELECT 'slugs', string_agg(slug, ' ' ORDER BY slug) FROM public.organizations",
)
#: As the owner that the container was made for; in the API's as its environment says, which leads anywhere.
_PSQL = (
    'if test -n "$PGHOST"; then export PGCONNECT_TIMEOUT="${PGCONNECT_TIMEOUT:-10}"; exec psql -wXAt "$@"; fi;'
    ' exec psql -U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-$POSTGRES_USER}" -XAt "$@"'
)
_PGOPTIONS = "PGOPTIONS=-c default_transaction_read_only=on -c statement_timeout=10000 -c lock_timeout=3000"

Data = dict[str, t.Any]


class Project:
    """A Compose project, asked through the C(docker) command."""

    def __init__(self, name: str, run: Run) -> None:
        self._name = name
        self._run = run
        self._containers: list[Data] = []

    def _docker(self, *arguments: str) -> tuple[int, str, str]:
        return self._run(["timeout", "-k", "5", "30", "docker", *arguments], "")

    def _listed(self) -> list[Data]:
        """Return the project's services as Docker has them, without containers that were run once."""
        of_project = f"label={_LABEL}.project={self._name}"
        status, output, errors = self._docker("ps", "--all", "--quiet", "--no-trunc", "--filter", of_project)
        if status == 0 and not output.split():
            return []
        if status == 0:
            status, output, errors = self._docker("inspect", "--format", _FORMAT, *output.split())
        if status != 0 and not output:
            raise LagoError(
                f"Docker cannot be asked about the project {self._name}: {(errors.strip() or 'no output')[-300:]}",
                "docker_unusable",
            )
        found = [json.loads(line) for line in output.splitlines() if line.strip()]
        return [
            {
                "service": one["service"],
                "name": one["name"].lstrip("/"),
                "state": one["state"]["Status"],
                "health": (one["state"].get("Health") or {}).get("Status"),
                "exit_code": one["state"].get("ExitCode"),
                "restarts": one["restarts"],
            }
            for one in found
            if one["oneoff"] != "True"
        ]

    def check_containers(self, report: Report) -> None:
        """See that every service runs and is healthy, and that worker and clock are among them."""
        facts = report.facts
        self._containers = facts["containers"] = sorted(self._listed(), key=lambda one: str(one["name"]))
        if not self._containers:
            report.problem(
                "project_not_found",
                f"Docker knows no container of the Compose project '{self._name}': is project its name, and"
                " this its host?",
                project=self._name,
            )
            return
        for one in self._containers:
            _check_container(report, one)
        workers = [one for one in self._containers if _is_worker(one["service"])]
        facts["workers"] = [{name: one[name] for name in ("name", "service", "state", "health")} for one in workers]
        clocks = [one for one in self._containers if one["service"] == "clock"]
        running = [one for one in clocks if one["state"] == "running"]
        facts["clock"]["containers"] = len(clocks)
        if clocks:
            facts["clock"].update({name: (running or clocks)[0][name] for name in ("state", "health")})
        for what, found in (("worker", workers), ("clock", clocks)):
            if not found:
                report.problem(f"{what}_missing", f"The project has no {what}: start the service '{what}'.")
        if len(running) > 1:
            report.problem("clock_twice", "More than one clock runs, so every job is made twice: keep one.")

    def check_database(self, report: Report) -> None:
        """Ask the database what only it knows: the bundled one, or one elsewhere through the API."""
        asked = "db" if self._has("db") else "api"
        database = self._running(asked)
        if database is None:
            return
        command = ["exec", "-e", _PGOPTIONS, database, "sh", "-c", _PSQL, "psql"]
        for query in _QUERIES:
            command += ["-c", query]
        _status, output, errors = patiently(lambda: self._docker(*command))
        told = dict(line.split("|", 1) for line in output.splitlines() if "|" in line)
        if not told:
            reason = (errors.strip().splitlines() or ["no output"])[-1][:300]
            where = "look at the log of db" if asked == "db" else "it was asked from the API's container"
            report.problem("database_unreachable", f"The database does not answer ({reason}): {where}.")
            return
        facts, partman = report.facts["database"], report.facts["partman"]
        facts["schema_version"] = told.get("schema_version") or None
        for name in ("roles", "encrypted_rows", "invalid_indexes"):
            facts[name] = int(told[name]) if name in told else None
        facts["slugs"] = told["slugs"].split() if "slugs" in told else None
        # A server may do without pg_partman: all rows are in one partition then, and none is missing.
        if (told.get("partitioned"), told.get("partman")) == ("1", "1"):
            partman["configured"] = told.get("configured", "0") != "0"
            partman["next_partition"] = told["next_partition"] != "0"
            partman["maintenance_last_run"] = told.get("maintenance_last_run") or None
        _check_database(report, facts, partman)

    def jobs_processed(self) -> int | None:
        """Return how many jobs Sidekiq has done, None when nobody runs who can ask.

        :raises LagoError: C(redis_unreachable).
        """
        answer = self._queue("GET", "stat:processed")
        if answer is None or answer.isdigit():
            return None if answer is None else int(answer)
        if answer:
            raise _deployment_queue.unreachable(answer)
        return 0

    def jobs_without_worker(self) -> dict[str, int]:
        """Return how many jobs wait in each queue that no worker takes from; empty when nobody runs who can ask.

        :raises LagoError: C(redis_unreachable).
        """
        return _deployment_queue.waiting(self._queue("EVAL", _deployment_queue.WAITING, "0") or "")

    def _queue(self, *command: str) -> str | None:
        """Return what the Redis of the queue answers: the bundled one, or one elsewhere through the API."""
        asked = "redis" if self._has("redis") else "api"
        container = self._running(asked)
        if container is None:
            return None
        client = ["redis-cli"] if asked == "redis" else ["ruby", "-e", _deployment_queue.PROGRAM]
        status, output, errors = self._docker("exec", container, *client, *command)
        if status != 0:
            raise _deployment_queue.unreachable(output.strip() or errors)
        return output.strip()

    def all_workers_run(self) -> bool:
        """Tell whether no worker is missing whose jobs could wait for it alone."""
        workers = [one for one in self._containers if _is_worker(one["service"])]
        return all(one["state"] == "running" and one["health"] in (None, "healthy") for one in workers)

    def _has(self, service: str) -> bool:
        return any(one["service"] == service for one in self._containers)

    def _running(self, service: str) -> str | None:
        found = (one["name"] for one in self._containers if one["service"] == service and one["state"] == "running")
        return next(found, None)


def _is_worker(service: str) -> bool:
    return service == "worker" or service.endswith("-worker") or service.startswith("worker-")


def _check_container(report: Report, one: Data) -> None:
    if one["state"] == "running" and one["health"] in (None, "healthy"):
        return
    if one["state"] == "exited" and one["exit_code"] == 0 and one["service"] in ("migrate", "storage"):
        return
    told = {name: one[name] for name in ("service", "name", "state", "health", "exit_code", "restarts")}
    if one["state"] == "running":
        report.problem(
            "service_unhealthy",
            f"The service {one['service']} is {one['health']}: see 'docker logs {one['name']}'.",
            **told,
        )
        return
    report.problem(
        "service_not_running",
        f"The service {one['service']} does not run ({one['state']}, exit code {one['exit_code']}): see"
        f" 'docker logs {one['name']}'.",
        **told,
    )


def _check_database(report: Report, facts: Data, partman: Data) -> None:
    if facts["schema_version"] is None:
        report.problem("not_migrated", "The database has no record of migrations: run the migration of this release.")
    if facts["roles"] == 0:
        report.problem("roles_not_seeded", "The roles are missing in the database: run 'rails roles:seed_predefined'.")
    if facts["invalid_indexes"]:
        report.problem(
            "invalid_indexes",
            "The database has invalid indexes, left behind by a migration that was cut off: drop and make them anew.",
            invalid_indexes=facts["invalid_indexes"],
        )
    if partman["configured"] is False:
        report.problem(
            "partman_not_configured",
            "pg_partman does not know the table enriched_events, so no partition is made ahead: run the playbook"
            " mend_partitions.",
        )
    elif partman["next_partition"] is False:
        report.problem(
            "partition_missing",
            "Next month's partition of enriched_events is missing: does pg_partman's background worker run?",
            maintenance_last_run=partman["maintenance_last_run"],
        )
