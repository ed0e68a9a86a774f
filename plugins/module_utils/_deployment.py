# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Whether a deployment works, as checks that do not depend on each other."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils import _deployment_backup
from ansible_collections.selfhosted.lago.plugins.module_utils import _key_file as key_file
from ansible_collections.selfhosted.lago.plugins.module_utils._client import LagoClient
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_docker import Project
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_edge import TlsEdge
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_front import Edge
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_report import Report
from ansible_collections.selfhosted.lago.plugins.module_utils._encrypted_rows import readable
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

# A key that cannot exist: where data can be read, it is refused (401); where not, Lago fails (500).
NO_KEY = "00000000-0000-0000-0000-000000000000"
# A login enqueues a job; the clock triggers one at least every 60 s.
# How many it has done a worker tells Redis every 10 s.
LOGIN_JOB_SECONDS = 30
CLOCK_JOB_SECONDS = 90
# A worker that starts says within a second or so which queues it takes from.
QUEUE_SECONDS = 15
# When these happen once, they happen to every request.
_DEAD = ("unreachable", "tls_not_trusted", "tls_failed", "container_not_running", "container_unusable")


class Inspection:
    """All checks of one deployment. C(report) has what they found."""

    def __init__(
        self,
        params: dict[str, t.Any],
        client: LagoClient,
        edge: Edge,
        project: Project | None,
        tls: TlsEdge | None = None,
    ) -> None:
        """
        :param project: what Docker knows, None where it is not to be asked.
        :param tls: how the edge speaks TLS, None where that is not to be looked at.
        """
        self._tls = tls
        self.report = Report(params["time_limit"])
        self.facts = self.report.facts
        self._params = params
        self._client = client
        self._edge = edge
        self._project = project
        self._organization: str | None = None
        self._logged_in = False
        self._login_failed = False

    def run(self) -> Report:
        """Make every check."""
        check = self.report.check
        if self._project is not None:
            check("containers", self._project.check_containers, self.report)
            check("database", self._project.check_database, self.report)
            check("backup", self._backup)
        check("health", self._health)
        if not any(problem["code"] in _DEAD for problem in self.report.problems):
            check("key", self._key)
            check("data", self._data)
            check("signup", self._signup)
            processed = check("job", self._processed)
            check("login", self._login)
            check("encrypted_rows", self._encrypted_rows)
            check("job", self._job, processed)
        if self._project is not None:
            check("queues", self._queues, self._project)
        check("front", self._edge.check_front, self.report)
        check("origin", self._edge.check_origin, self.report)
        check("exposed_paths", self._edge.check_exposure, self.report)
        if self._tls is not None:
            check("edge", self._tls.check, self.report)
        return self.report

    def _backup(self) -> None:
        directory = self._params["backup_directory"]
        self.facts["backup"] = _deployment_backup.last(directory, self._params["project"]) if directory else None

    def _health(self) -> None:
        expected = self._params["version"] or None
        self.facts["health"]["expected"] = expected
        health = self._client.health()
        self.facts["health"].update(status=health["status"], version=health["version"])
        if health["status"] != 200:
            self.report.problem(
                "unhealthy",
                f"The API says that it is unhealthy ({health['details'] or health['message']}): check the database and"
                " what the API's log says.",
                status=health["status"],
            )
        if expected and health["version"].lstrip("v") != expected.lstrip("v"):
            self.report.problem(
                "version_mismatch",
                f"The API is {health['version']}, not {expected}: was its container made anew with the new image?",
                version=health["version"],
                expected=expected,
            )

    def _stored_key(self) -> str | None:
        if (self._params["api_key"] or "").strip():
            return str(self._params["api_key"]).strip()
        stored = key_file.read(self._params["api_key_path"]) if self._params["api_key_path"] else None
        return stored["api_key"] if stored else None

    def _key(self) -> None:
        fact = self.facts["key"]
        key = self._stored_key()
        if key is None:
            self.report.problem(
                "api_key_missing",
                "There is no API key to read data with: give api_key or api_key_path (the role bootstrap writes one).",
            )
        try:
            found = self._client.organization_of(key or NO_KEY)
        except LagoError as error:
            raise self._unreadable(error, "the organization") from None
        if found is None:
            if key is not None:
                fact["accepted"] = False
                self.report.problem(
                    "api_key_refused",
                    "Lago refuses the API key: it was rotated or is another deployment's. Fetch it anew.",
                )
            return
        fact.update(accepted=True, organization_id=found["id"], organization_name=found["name"])
        self.facts["data"]["readable"] = True
        self._organization = found["id"]

    def _data(self) -> None:
        """Read something else than the organization: on a half-migrated database some reads work and others fail."""
        key = self._stored_key()
        if key is None or self.facts["key"]["accepted"] is False:
            return
        try:
            self._client.rest("/api/v1/billable_metrics?per_page=1", key)
        except LagoError as error:
            raise self._unreadable(error, "the billable metrics") from None

    def _unreadable(self, error: LagoError, what: str) -> LagoError:
        if error.code != "server_error":
            return error
        self.facts["data"]["readable"] = False
        return LagoError(
            f"Lago fails ({error.status}) at reading {what}: was every migration of this release run, and is"
            " the database"
            " reachable? The API's log tells.",
            "data_unreadable",
            error.status,
        )

    def _signup(self) -> None:
        closed = self._client.signup_is_closed()
        self.facts["signup"]["closed"] = closed
        if not closed and not self._params["signup"]:
            self.report.problem(
                "signup_open",
                "Anybody can register: set LAGO_DISABLE_SIGNUP to exactly true (not True, 1 or yes) for the API.",
            )

    def _login(self) -> None:
        email, password = self._params["email"], self._params["password"]
        if not (email and password):
            return
        fact = self.facts["login"]
        try:
            self._client.login(email, password)
        except LagoError as error:
            if error.code not in ("incorrect_login_or_password", "login_method_not_authorized"):
                self._login_failed = True
                raise
            fact["accepted"] = False
            if self.facts["key"]["accepted"] is not True:
                raise
            return  # a password that was changed in the user interface breaks nothing: the key works
        fact["accepted"] = self._logged_in = True

    def _encrypted_rows(self) -> None:
        fact = self.facts["encrypted_rows"]
        if self._logged_in:
            organizations = [self._organization] if self._organization else None
            fact["readable"] = readable(self._client, organizations)
        elif self.facts["database"]["encrypted_rows"] == 0:
            fact["readable"] = "none"
        if fact["readable"] == "no":
            self.report.problem(
                "encrypted_rows_unreadable",
                "Lago cannot read its encrypted rows (payment providers, integrations): the LAGO_ENCRYPTION_*"
                " keys are not"
                " those that the rows were written with. Put the former keys back.",
            )

    def _processed(self) -> int | None:
        return None if self._project is None else self._project.jobs_processed()

    def _job(self, before: int | None) -> None:
        """See a job pass: its making is a login or the clock, its end is told by the counter in Redis."""
        fact = self.facts["job"]
        if before is None:
            if self._project is None and not (self._params["email"] and self._params["password"]):
                self.report.problem(
                    "job_not_checked",
                    "Whether jobs pass through Redis was not checked: give project, or email and password.",
                )
            return
        if not self._logged_in and (self.facts["clock"]["state"] != "running" or self._login_failed):
            return  # nothing makes a job, or Lago cannot; either is reported on its own
        fact["through"] = "login" if self._logged_in else "clock"
        limit = LOGIN_JOB_SECONDS if self._logged_in else CLOCK_JOB_SECONDS
        started = time.monotonic()
        while time.monotonic() - started < limit:
            now = self._processed()
            if now is not None and now > before:
                fact.update(passed=True, seconds=round(time.monotonic() - started, 1))
                return
            time.sleep(0.5)
        fact["passed"] = False
        self.report.problem(
            "job_not_passed",
            f"No job came through Redis within {limit} s of the {fact['through']}: look at the worker's log.",
        )

    def _queues(self, project: Project) -> None:
        """See that no job waits for a worker that is no longer there."""
        if any(problem["code"] == "redis_unreachable" for problem in self.report.problems):
            return
        waiting = project.jobs_without_worker()
        started = time.monotonic()
        while waiting and project.all_workers_run() and time.monotonic() - started < QUEUE_SECONDS:
            time.sleep(1)
            waiting = project.jobs_without_worker()
        self.facts["queues"]["without_worker"] = waiting
        for queue, jobs in sorted(waiting.items()) if project.all_workers_run() else ():
            self.report.problem(
                "queue_without_worker",
                f"{jobs} job{'' if jobs == 1 else 's'} of queue {queue} wait for a worker that is not there: put its"
                " row back into lago_workers until the queue is empty.",
                queue=queue,
                jobs=jobs,
            )
