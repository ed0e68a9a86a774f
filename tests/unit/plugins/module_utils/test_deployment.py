# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import _deployment, _deployment_report
from ansible_collections.selfhosted.lago.plugins.module_utils._client import LagoClient
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment import Inspection
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_docker import Project
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_front import Edge, origin, same_url, settings
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_report import Report
from ansible_collections.selfhosted.lago.plugins.module_utils._encrypted_rows import FIELDS, readable
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._http import Response

PARAMS = {
    "api_key": None,
    "api_key_path": None,
    "email": None,
    "password": None,
    "version": "",
    "signup": False,
    "time_limit": 60,
    "backup_directory": None,
}
GOOD_DATABASE = {
    "schema_version": "20260801",
    "roles": "3",
    "encrypted_rows": "0",
    "invalid_indexes": "0",
    "partitioned": "1",
    "partman": "1",
    "configured": "1",
    "maintenance_last_run": "2026-11-21 03:00:00+00",
    "next_partition": "1",
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> t.Any:
    """Time that passes only by sleeping."""

    class Clock:
        now = 0.0

        def monotonic(self) -> float:
            return self.now

        def sleep(self, seconds: float) -> None:
            self.now += seconds

    fake = Clock()
    monkeypatch.setattr(_deployment, "time", fake)
    monkeypatch.setattr(_deployment_report, "time", fake)
    return fake


def codes(report: Report) -> list[str]:
    return [problem["code"] for problem in report.problems]


def container(service: str, state: str = "running", health: str | None = "healthy", **more: t.Any) -> dict[str, t.Any]:
    described = {"Status": state, "ExitCode": more.pop("exit_code", 0)}
    if health:
        described["Health"] = {"Status": health}
    return {
        "name": f"/lago-{service}-1",
        "service": service,
        "oneoff": "False",
        "state": described,
        "restarts": 0,
        **more,
    }


class Docker:
    """What the docker command would say; C(commands) has what was asked."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.containers = [container(name) for name in ("api", "clock", "db", "redis", "worker")]
        self.database = dict(GOOD_DATABASE)
        self.processed: list[t.Any] = [0]
        self.waiting: list[str] = [""]
        self.fail: dict[str, tuple[int, str, str]] = {}

    def __call__(self, command: list[str], data: str) -> tuple[int, str, str]:
        assert command[:5] == ["timeout", "-k", "5", "30", "docker"]
        self.commands.append(command[5:])
        what = next(word for word in ("ps", "inspect", "psql", "redis-cli", "ruby") if word in command)
        if what in self.fail:
            return self.fail[what]
        if what == "ps":
            return 0, "\n".join(str(at) for at in range(len(self.containers))), ""
        if what == "inspect":
            return 0, "\n".join(json.dumps(one) for one in self.containers) + "\n", ""
        if what == "psql":
            return 0, "\n".join(f"{name}|{value}" for name, value in self.database.items()), "ERROR: no such relation"
        if "EVAL" in command:
            return 0, (self.waiting.pop(0) if len(self.waiting) > 1 else self.waiting[0]) + "\n", ""
        return 0, str(self.processed.pop(0) if len(self.processed) > 1 else self.processed[0]) + "\n", ""


@pytest.fixture
def docker() -> Docker:
    return Docker()


class TestProject:
    def check(self, docker: Docker) -> Report:
        report, project = Report(60), Project("lago", docker)
        project.check_containers(report)
        project.check_database(report)
        return report

    def test_all_is_well(self, docker: Docker) -> None:
        docker.containers.append(container("register", oneoff="True"))
        docker.containers.append(container("migrate", "exited", None))
        docker.containers.append(container("front", health=None))
        docker.containers.append(container("events-worker"))
        report = self.check(docker)
        assert report.problems == []
        assert [command[0] for command in docker.commands] == ["ps", "inspect", "exec"]
        assert [one["service"] for one in report.facts["workers"]] == ["events-worker", "worker"]
        assert report.facts["clock"] == {"state": "running", "health": "healthy", "containers": 1}
        assert "register" not in {one["service"] for one in report.facts["containers"]}
        assert report.facts["database"]["roles"] == 3
        assert report.facts["partman"]["next_partition"] is True

    def test_nothing_of_what_inspect_could_tell_is_asked_in_full(self, docker: Docker) -> None:
        self.check(docker)
        asked = docker.commands[1]
        assert "--format" in asked
        assert "Env" not in asked[2]

    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            (container("worker", health="unhealthy"), ["service_unhealthy"]),
            (container("worker", health="starting"), ["service_unhealthy"]),
            (container("worker", "exited", None, exit_code=1), ["service_not_running"]),
            (container("api", "restarting", None, exit_code=1), ["service_not_running"]),
            (container("clock", "exited", None, exit_code=0), ["service_not_running"]),
            (container("migrate", "exited", None, exit_code=1), ["service_not_running"]),
        ],
    )
    def test_services(self, docker: Docker, changed: dict[str, t.Any], expected: list[str]) -> None:
        docker.containers = [one for one in docker.containers if one["service"] != changed["service"]] + [changed]
        report = self.check(docker)
        assert codes(report) == expected
        assert report.problems[0]["details"]["service"] == changed["service"]
        assert f"docker logs lago-{changed['service']}-1" in report.problems[0]["message"]

    def test_missing_services(self, docker: Docker) -> None:
        docker.containers = [container("api", "exited", exit_code=1)]
        report = self.check(docker)
        assert codes(report) == ["service_not_running", "worker_missing", "clock_missing"]
        assert [command[0] for command in docker.commands] == ["ps", "inspect"]
        assert Project("lago", docker).jobs_without_worker() == {}

    def test_two_clocks(self, docker: Docker) -> None:
        docker.containers.append(container("clock", name="/lago-clock-2"))
        assert codes(self.check(docker)) == ["clock_twice"]

    def test_no_project(self, docker: Docker) -> None:
        docker.containers = []
        assert codes(self.check(docker)) == ["project_not_found"]

    @pytest.mark.parametrize("what", ["ps", "inspect"])
    def test_no_docker(self, docker: Docker, what: str) -> None:
        docker.fail[what] = (127, "", "timeout: failed to run command 'docker'")
        with pytest.raises(LagoError, match="failed to run command") as caught:
            self.check(docker)
        assert caught.value.code == "docker_unusable"

    def test_a_container_that_vanishes_meanwhile(self, docker: Docker) -> None:
        lines = "\n".join(json.dumps(one) for one in docker.containers)
        docker.fail["inspect"] = (1, lines, "Error: No such object: 9")
        assert self.check(docker).problems == []

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"roles": "0"}, ["roles_not_seeded"]),
            ({"invalid_indexes": "2"}, ["invalid_indexes"]),
            ({"configured": "0"}, ["partman_not_configured"]),
            ({"configured": None}, ["partman_not_configured"]),
            ({"next_partition": "0"}, ["partition_missing"]),
            ({"partman": "0", "configured": None, "next_partition": "0"}, []),
            ({"schema_version": None, "roles": None, "encrypted_rows": None, "partitioned": "0"}, ["not_migrated"]),
            ({"schema_version": ""}, ["not_migrated"]),
        ],
    )
    def test_database(self, docker: Docker, changes: dict[str, str | None], expected: list[str]) -> None:
        told = {**docker.database, **changes}
        docker.database = {name: value for name, value in told.items() if value is not None}
        assert codes(self.check(docker)) == expected

    def test_a_database_that_does_not_answer(self, docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is asked three times, since it may have been started just now."""
        monkeypatch.setattr(time, "sleep", lambda _seconds: None)
        docker.fail["psql"] = (2, "", "psql: error: connection failed\nFATAL: the database system is starting up\n")
        report = self.check(docker)
        assert codes(report) == ["database_unreachable"]
        assert "is starting up" in report.problems[0]["message"]
        assert sum("exec" in command for command in docker.commands) == 3

    def test_the_database_is_only_read(self, docker: Docker) -> None:
        self.check(docker)
        assert any("default_transaction_read_only=on" in word for word in docker.commands[2])

    def test_stores_elsewhere_are_asked_through_the_api(self, docker: Docker) -> None:
        docker.containers = [container(name) for name in ("api", "clock", "worker")]
        docker.processed, docker.waiting = ["5"], ["events=3\npdfs=1"]
        report, project = Report(60), Project("lago", docker)
        project.check_containers(report)
        project.check_database(report)
        assert report.facts["database"]["roles"] == 3
        assert project.jobs_processed() == 5
        assert project.jobs_without_worker() == {"events": 3, "pdfs": 1}
        assert [command[:2] for command in docker.commands[3:]] == [["exec", "lago-api-1"]] * 2
        assert docker.commands[2][3] == "lago-api-1"
        docker.fail["psql"] = (2, "", "psql: error: could not translate host name")
        assert "from the API's container" in self.check(docker).problems[0]["message"]

    def test_a_database_that_stopped_is_not_looked_for_elsewhere(self, docker: Docker) -> None:
        docker.containers = [container("api"), container("db", "exited", None, exit_code=1)]
        assert "database_unreachable" not in codes(self.check(docker))

    @pytest.mark.parametrize(("said", "count"), [("17", 17), ("", 0)])
    def test_jobs(self, docker: Docker, said: str, count: int) -> None:
        docker.processed = [said]
        project = Project("lago", docker)
        assert project.jobs_processed() is None
        project.check_containers(Report(60))
        assert project.jobs_processed() == count

    @pytest.mark.parametrize("answer", [(1, "", "Could not connect"), (0, "(error) NOAUTH", "")])
    def test_no_redis(self, docker: Docker, answer: tuple[int, str, str]) -> None:
        project = Project("lago", docker)
        project.check_containers(Report(60))
        docker.fail["redis-cli"] = answer
        for ask in (project.jobs_processed, project.jobs_without_worker):
            with pytest.raises(LagoError) as caught:
                ask()
            assert caught.value.code == "redis_unreachable"


CONFIG = """window.API_URL = "https://lago.test"
window.LAGO_DOMAIN = ""
window.LAGO_DISABLE_SIGNUP = 'true';
window.NUMBER = 7
"""
INDEX = b'<!doctype html><html><script src="/env-config.js"></script></html>'
API_404 = b'{"status": 404, "error": "Not Found", "code": "resource_not_found"}'


class Site:
    """A web server by paths; what is not there is the front's index, as the real front does."""

    retries = 0

    def __init__(self, url: str = "https://lago.test", paths: dict[str, t.Any] | None = None) -> None:
        self.url = url
        self.answers: dict[str, t.Any] = {"/env-config.js": CONFIG.encode(), **(paths or {})}
        self.asked: list[str] = []

    def send(self, method: str, path: str, headers: t.Any = None, body: t.Any = None, safe: bool = True) -> Response:
        self.asked.append(f"{method} {path}")
        answer = self.answers.get(path, INDEX)
        if isinstance(answer, LagoError):
            raise answer
        return answer if isinstance(answer, Response) else Response(200, {}, answer)


class TestEdge:
    def edge(self, api: Site, front: Site | None = None, paths: t.Sequence[str] = (), public: bool = True) -> Report:
        report = Report(60)
        edge = Edge(api, public, front, list(paths))
        for check in (edge.check_front, edge.check_origin, edge.check_exposure):
            report.check("x", check, report)
        return report

    def test_one_origin(self) -> None:
        site = Site()
        report = self.edge(site, site)
        assert report.problems == []
        assert report.facts["front"]["api_url"] == "https://lago.test"
        assert report.facts["front"]["signup_disabled"] is True
        assert report.facts["front"]["config"]["NUMBER"] == "7"
        assert report.facts["origin"] == {"one_origin": True, "cors_ok": None}
        assert "OPTIONS /graphql" not in site.asked

    def test_without_a_front(self) -> None:
        report = self.edge(Site())
        assert report.facts["front"]["reachable"] is None
        assert report.facts["origin"]["one_origin"] is None

    def test_inside_a_container_there_is_no_edge(self) -> None:
        api = Site("http://127.0.0.1:3000", {"/sidekiq": b"Sidekiq"})
        report = self.edge(api, Site(), ["/sidekiq"], public=False)
        assert report.problems == []
        assert report.facts["exposed_paths"] is None
        assert api.asked == []

    def test_a_front_that_sends_elsewhere(self) -> None:
        report = self.edge(Site("https://api.lago.test", {"/graphql": Response(200, {}, b"")}), Site())
        assert codes(report) == ["front_api_url_wrong", "cors_refused"]
        assert report.facts["origin"] == {"one_origin": False, "cors_ok": False}

    @pytest.mark.parametrize("allowed", ["https://lago.test", "*"])
    def test_two_origins(self, allowed: str) -> None:
        graphql = Response(200, {"access-control-allow-origin": allowed}, b"")
        front = Site(paths={"/env-config.js": b'window.API_URL = "https://API.lago.test:443/"'})
        report = self.edge(Site("https://api.lago.test", {"/graphql": graphql}), front)
        assert report.problems == []
        assert report.facts["origin"]["cors_ok"] is True

    def test_no_front_there(self) -> None:
        front = Site(paths={"/": Response(502, {}, b"")})
        report = self.edge(Site(), front)
        assert codes(report) == ["front_not_served"]
        assert report.facts["front"]["reachable"] is False
        report = self.edge(Site(), Site(paths={"/": LagoError("Refused.", "unreachable")}))
        assert codes(report) == ["unreachable"]
        assert report.facts["front"]["reachable"] is False

    @pytest.mark.parametrize("config", [INDEX, Response(404, {}, b""), b'window.APP_ENV = "production"'])
    def test_no_configuration(self, config: t.Any) -> None:
        assert codes(self.edge(Site(), Site(paths={"/env-config.js": config}))) == ["front_config_missing"]

    @pytest.mark.parametrize(
        ("answer", "exposed"),
        [
            (Response(404, {}, b""), False),
            (Response(404, {}, b"404 page not found"), False),
            (Response(404, {}, b'{"message": "no route"}'), False),
            (Response(401, {}, b"Unauthorized"), False),
            (Response(403, {}, b"Forbidden"), False),
            (INDEX, False),
            (b"<html>the front's other page, env-config.js in it</html>", False),
            (Response(404, {}, API_404), True),
            (Response(401, {}, b'{"status": 401, "error": "Unauthorized"}'), True),
            (b'{"status": "ok"}', True),
            (b"<title>Sidekiq</title>", True),
            (b"# TYPE ruby_gc", True),
            (Response(406, {}, b"Supported media types: text/plain"), True),
            (Response(502, {}, b""), True),
            (Response(302, {"location": "/sidekiq/"}, b""), True),
        ],
    )
    def test_exposure_is_told_by_what_answers(self, answer: t.Any, exposed: bool) -> None:
        report = self.edge(Site(paths={"/path": answer}), None, ["/path", "/other"])
        assert report.facts["exposed_paths"] == (["/path"] if exposed else [])
        assert codes(report) == (["paths_exposed"] if exposed else [])

    def test_both_origins_are_looked_at_once_each(self) -> None:
        graphql = Response(200, {"access-control-allow-origin": "*"}, b"")
        api = Site("https://api.lago.test", {"/graphql": graphql, "/a": b"Sidekiq"})
        front = Site(
            paths={"/a": b"Sidekiq", "/b": b"Sidekiq", "/env-config.js": b'window.API_URL="https://api.lago.test"'}
        )
        assert self.edge(api, front, ["/a", "/b"]).facts["exposed_paths"] == ["/a", "/b"]

    def test_what_cannot_be_asked_is_not_known(self) -> None:
        api = Site(paths={"/a": LagoError("Refused.", "unreachable")})
        report = self.edge(api, None, ["/a", "/b"])
        assert codes(report) == ["unreachable"]
        assert report.facts["exposed_paths"] is None
        assert api.asked == ["GET /a"]


def test_urls() -> None:
    assert settings("window.A = \"x\"\n window.B='y';\nnothing") == {"A": "x", "B": "y"}
    assert origin("https://Lago.test:443/x") == "https://lago.test"
    assert origin("http://[::1]:3000") == "http://[::1]:3000"
    assert same_url("https://lago.test", "https://LAGO.test:443/")
    assert not same_url("https://lago.test", "not a url")


class TestReport:
    def test_no_check_ends_the_others(self) -> None:
        def fail(secret: str) -> None:
            raise ValueError(secret)

        report = Report(60)
        assert report.check("x", fail, "canary") is None
        assert report.check("y", lambda: 7) == 7
        assert codes(report) == ["check_failed"]
        assert "canary" not in json.dumps(report.problems)
        assert "ValueError at test_deployment.py" in report.problems[0]["message"]

    def test_time(self, clock: t.Any) -> None:
        report = Report(5)
        clock.now = 6
        assert report.check("x", lambda: 7) is None
        assert codes(report) == ["not_checked"]

    def test_the_same_problem_is_told_once(self) -> None:
        report = Report(5)
        report.problem("a", "b")
        report.problem("a", "b")
        assert codes(report) == ["a"]


class Rows:
    """A client that has rows of these kinds and answers or refuses their secrets."""

    def __init__(self, *kinds: str, broken: bool = False, refuse: str | None = None) -> None:
        self.kinds = kinds
        self.broken = broken
        self.refuse = refuse
        self.queries: list[str] = []

    def organizations(self) -> list[dict[str, str]]:
        return [{"id": "one"}, {"id": "two"}]

    def ask(self, field: str, query: str, variables: t.Any, organization: str) -> t.Any:
        self.queries.append(query)
        if self.refuse:
            raise LagoError("m", self.refuse)
        if self.broken and "..." in query:
            raise LagoError("m", "server_error", 500)
        return {"collection": [{"__typename": kind} for kind in self.kinds if kind in FIELDS[field] or "New" in kind]}


class TestEncryptedRows:
    @pytest.mark.parametrize(
        ("kinds", "answer"),
        [
            ((), "none"),
            (("AdyenProvider", "MoneyhashProvider"), "yes"),
            (("XeroIntegration",), "yes"),
            (("SalesforceIntegration",), "none"),
            (("NewProvider",), "unknown"),
        ],
    )
    def test_answers(self, kinds: tuple[str, ...], answer: str) -> None:
        assert readable(t.cast(LagoClient, Rows(*kinds)), ["org"]) == answer

    def test_other_keys(self) -> None:
        assert readable(t.cast(LagoClient, Rows("StripeProvider", broken=True)), ["org"]) == "no"

    def test_kinds_that_are_not_there_are_not_asked_for(self) -> None:
        rows = Rows("StripeProvider")
        readable(t.cast(LagoClient, rows))
        assert len(rows.queries) == 2 * 3
        assert "... on StripeProvider { stripeprovider: secretKey }" in rows.queries[1]
        assert "Adyen" not in "".join(rows.queries)

    @pytest.mark.parametrize("code", ["forbidden", "not_a_member"])
    def test_not_allowed(self, code: str) -> None:
        assert readable(t.cast(LagoClient, Rows(refuse=code)), ["org"]) == "unknown"

    def test_no_answer(self) -> None:
        with pytest.raises(LagoError):
            readable(t.cast(LagoClient, Rows(refuse="unavailable")), ["org"])


class TestInspection:
    @pytest.fixture
    def key(self, lago: t.Any) -> str:
        """The key of an organization in a Lago that works, with its sign-up closed."""
        lago.add_user("admin@example.com", "Correct-Horse-1!", "Acme")
        lago.signup_open = False
        lago.on_paymentProviders = lago.on_integrations = lambda *_: {"collection": []}
        return str(lago.keys[0]["value"])

    @pytest.fixture
    def inspect(self, lago: t.Any, key: str) -> t.Any:
        def run(docker: Docker | None = None, login: bool = True, tls: t.Any = None, **changes: t.Any) -> Report:
            params: dict[str, t.Any] = dict(PARAMS, api_key=key)
            if login:
                params.update(email="admin@example.com", password="Correct-Horse-1!")
            params.update(changes)
            project = None if docker is None else Project("lago", docker)
            return Inspection(params, LagoClient(lago), Edge(lago, False, None, []), project, tls).run()

        return run

    def test_how_the_edge_speaks_tls_is_one_of_the_checks(self, inspect: t.Any) -> None:
        tls = mock.Mock()
        report = inspect(tls=tls)
        tls.check.assert_called_once_with(report)

    def test_all_is_well(self, inspect: t.Any, docker: Docker) -> None:
        docker.processed = [3, 3, 4]
        report = inspect(docker, version="1.51.0")
        assert report.problems == []
        assert report.facts["job"] == {"passed": True, "through": "login", "seconds": 0.5}
        assert report.facts["encrypted_rows"] == {"readable": "none"}

    def test_the_clock_when_nobody_logs_in(self, inspect: t.Any, docker: Docker) -> None:
        docker.processed = [3] * 100 + [4]
        report = inspect(docker, login=False)
        assert report.problems == []
        assert report.facts["job"] == {"passed": True, "through": "clock", "seconds": 49.5}
        assert report.facts["encrypted_rows"] == {"readable": "none"}

    def test_rows_that_nobody_can_look_at(self, inspect: t.Any, docker: Docker) -> None:
        docker.database["encrypted_rows"] = "2"
        docker.processed = [3, 4]
        assert inspect(docker, login=False).facts["encrypted_rows"] == {"readable": "unknown"}

    @pytest.mark.parametrize(("login", "seconds"), [(True, 30), (False, 90)])
    def test_no_job_passes(self, inspect: t.Any, docker: Docker, clock: t.Any, login: bool, seconds: int) -> None:
        report = inspect(docker, login=login, time_limit=200)
        assert codes(report) == ["job_not_passed"]
        assert report.facts["job"]["passed"] is False
        assert clock.now == seconds

    def test_nothing_makes_a_job(self, inspect: t.Any, docker: Docker, clock: t.Any) -> None:
        docker.containers = [one for one in docker.containers if one["service"] != "clock"]
        report = inspect(docker, login=False)
        assert codes(report) == ["clock_missing"]
        assert clock.now == 0

    def test_a_worker_that_was_taken_away_too_early(self, inspect: t.Any, docker: Docker, clock: t.Any) -> None:
        docker.processed, docker.waiting = [3, 3, 4], ["events=3\npdfs=1", "events=3\npdfs=1"]
        report = inspect(docker)
        assert codes(report) == ["queue_without_worker"] * 2
        assert "3 jobs of queue events wait" in report.problems[0]["message"]
        assert "1 job of queue pdfs wait" in report.problems[1]["message"]
        assert report.facts["queues"] == {"without_worker": {"events": 3, "pdfs": 1}}

    def test_a_worker_that_has_just_started(self, inspect: t.Any, docker: Docker) -> None:
        docker.processed, docker.waiting = [3, 3, 4], ["events=3", ""]
        report = inspect(docker)
        assert report.problems == []
        assert report.facts["queues"] == {"without_worker": {}}

    def test_a_worker_that_does_not_run_is_told_once(self, inspect: t.Any, docker: Docker) -> None:
        docker.containers.append(container("worker-events", "exited", None, exit_code=1))
        docker.processed, docker.waiting = [3, 3, 4], ["events=3"]
        report = inspect(docker)
        assert codes(report) == ["service_not_running"]

    def test_redis_down(self, inspect: t.Any, docker: Docker) -> None:
        docker.fail["redis-cli"] = (1, "", "Could not connect to Redis")
        assert codes(inspect(docker)) == ["redis_unreachable"]

    def test_nothing_to_see_a_job_with(self, inspect: t.Any) -> None:
        assert codes(inspect(login=False)) == ["job_not_checked"]
        assert codes(inspect()) == []

    def test_the_wrong_release(self, inspect: t.Any) -> None:
        report = inspect(version="v1.52.0")
        assert codes(report) == ["version_mismatch"]
        assert report.problems[0]["details"] == {"version": "v1.51.0", "expected": "v1.52.0"}

    def test_the_key_in_a_file(self, inspect: t.Any, key: str, tmp_path: Path) -> None:
        path = tmp_path / "key.json"
        assert codes(inspect(api_key=None, api_key_path=str(path))) == ["api_key_missing"]
        path.write_text(json.dumps({"api_key": key}))
        assert inspect(api_key=None, api_key_path=str(path)).facts["key"]["accepted"] is True

    def test_a_key_that_is_refused(self, inspect: t.Any) -> None:
        report = inspect(api_key="wrong")
        assert codes(report) == ["api_key_refused"]
        assert report.facts["data"]["readable"] is None

    def test_other_data_that_cannot_be_read(self, inspect: t.Any, lago: t.Any) -> None:
        lago.trouble = lambda operation: (500, {}) if "billable_metrics" in operation else None
        report = inspect()
        assert codes(report) == ["data_unreadable"]
        assert report.facts["data"] == {"readable": False}

    def test_a_proxy_without_its_api(self, inspect: t.Any, lago: t.Any) -> None:
        lago.trouble = lambda operation: None if operation == "/health" else (502, {})
        assert set(codes(inspect())) == {"unavailable"}

    def test_an_api_that_cannot_be_reached_is_told_once(self, inspect: t.Any, lago: t.Any, docker: Docker) -> None:
        def refuse(operation: str) -> t.Any:
            raise LagoError("Refused.", "unreachable")

        lago.trouble = refuse
        report = inspect(docker)
        assert codes(report) == ["unreachable"]
        assert lago.log == ["/health"]
        assert report.facts["clock"]["state"] == "running"

    def test_signup_open(self, inspect: t.Any, lago: t.Any) -> None:
        lago.trouble = lambda operation: (500, {}) if operation == "registerUser" else None
        report = inspect()
        assert codes(report) == ["signup_open"]
        assert report.facts["signup"] == {"closed": False}

    def test_signup_that_is_meant_to_be_open(self, inspect: t.Any, lago: t.Any) -> None:
        lago.signup_open = True
        report = inspect(signup=True)
        assert report.problems == []
        assert report.facts["signup"] == {"closed": False}

    def test_signup_that_even_takes_a_blank_password(self, inspect: t.Any, lago: t.Any) -> None:
        lago.signup_open = True
        assert codes(inspect()) == ["signup_open"]

    def test_signup_that_cannot_be_asked(self, inspect: t.Any, lago: t.Any) -> None:
        lago.trouble = lambda operation: (502, {}) if operation == "registerUser" else None
        report = inspect()
        assert codes(report) == ["unavailable"]
        assert report.facts["signup"] == {"closed": None}

    def test_an_unhealthy_api(self, inspect: t.Any, lago: t.Any) -> None:
        ill = {"version": "v1.51.0", "message": "Unhealthy", "details": "No database.\n\nMore."}
        lago.trouble = lambda operation: (500, ill) if operation == "/health" else None
        report = inspect()
        assert codes(report) == ["unhealthy"]
        assert "(No database.)" in report.problems[0]["message"]

    def test_other_encryption_keys(self, inspect: t.Any, lago: t.Any) -> None:
        lago.trouble = lambda operation: (500, {}) if operation == "paymentProviders" else None
        report = inspect()
        assert codes(report) == ["encrypted_rows_unreadable"]
        assert report.facts["encrypted_rows"] == {"readable": "no"}

    def test_logins_that_are_refused(self, inspect: t.Any) -> None:
        assert codes(inspect(password="Other-Horse-1!")) == []
        assert codes(inspect(password="Other-Horse-1!", api_key=None)) == [
            "api_key_missing",
            "incorrect_login_or_password",
        ]

    def test_logins_that_fail(self, inspect: t.Any, lago: t.Any) -> None:
        lago.trouble = lambda operation: (500, {}) if operation == "loginUser" else None
        report = inspect()
        assert codes(report) == ["login_failed_on_server"]
        assert report.facts["login"] == {"accepted": None}

    def test_a_lago_that_cannot_log_in_is_not_waited_for(
        self, inspect: t.Any, lago: t.Any, docker: Docker, clock: t.Any
    ) -> None:
        lago.trouble = lambda operation: (500, {}) if operation == "loginUser" else None
        assert codes(inspect(docker)) == ["login_failed_on_server"]
        assert clock.now == 0
