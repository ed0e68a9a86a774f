# SPDX-License-Identifier: GPL-3.0-or-later
"""What was promised, asked from outside: on the socket over TLS, in the database, in files and processes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from outside.deployment import Deployment
from outside.lago_user import ME, LagoUser

EMAIL = "ada@example.com"
ORGANIZATION = "Acme Billing"
ALL_SERVICES = {"api", "clock", "db", "front", "pdf", "proxy", "redis", "redis-cache", "worker"}
SECRET_FILES = ("secrets.json", "api_key.json", "env/backend.env", "env/db.env", "env/redis.env", "redis/queue.conf")


def wait_until(come: Callable[[], bool], seconds: float = 90) -> None:
    """Asks again and again; each question takes its own time on the server."""
    until = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < until, "it did not come"


def containers(deployment: Deployment) -> dict[str, dict[str, object]]:
    ids = deployment.shell("docker", "ps", "-q", "--no-trunc").split()
    inspected = json.loads(deployment.shell("docker", "inspect", *ids))
    return {entry["Config"]["Labels"]["com.docker.compose.service"]: entry for entry in inspected}


# --- what a user meets ---------------------------------------------------------------------------------------------


def test_the_front_page_and_its_configuration_are_served_over_tls(user: LagoUser) -> None:
    assert user.request("GET", "/").status == 200
    config = user.request("GET", "/env-config.js").text
    assert f'window.API_URL = "{user.url}"' in config
    assert 'window.LAGO_DISABLE_SIGNUP = "true"' in config


def test_plain_http_leads_to_https(deployment: Deployment, user: LagoUser) -> None:
    answer = LagoUser("http://billing.example.com", connect_to=deployment.address).request("GET", "/login")
    assert (answer.status, answer.headers["location"]) == (301, f"{user.url}/login")


def test_the_release_asked_for_answers(user: LagoUser) -> None:
    assert user.request("GET", "/health").json["version"] == "v1.51.0"


@pytest.mark.parametrize("service", ["api", "worker"])
def test_lago_can_store_files(deployment: Deployment, service: str) -> None:
    write = "touch /app/storage/file && rm /app/storage/file"
    deployment.shell("docker", "exec", f"lago-{service}-1", "sh", "-c", write)


def test_the_administrator_signs_in_and_finds_one_organization(user: LagoUser, admin_password: str) -> None:
    token = user.login(EMAIL, admin_password)
    assert token
    memberships = user.graphql(ME, token=token)["data"]["currentUser"]["memberships"]
    assert [membership["organization"]["name"] for membership in memberships] == [ORGANIZATION]


def test_the_key_that_was_fetched_is_the_organizations(deployment: Deployment, user: LagoUser) -> None:
    answer = user.rest("GET", "organizations", deployment.key)
    assert answer.json["organization"]["name"] == ORGANIZATION
    assert user.rest("GET", "organizations", "00000000-0000-0000-0000-000000000000").status == 401


def test_a_metered_event_becomes_current_usage(deployment: Deployment, user: LagoUser) -> None:
    usage = user.meter(deployment.key, units=7)
    assert (float(usage["units"]), usage["amount_cents"]) == (7.0, 1400)


def test_nobody_else_can_register(user: LagoUser) -> None:
    query = "mutation($input: RegisterUserInput!) { registerUser(input: $input) { token } }"
    guest = {"email": "mallory@example.com", "password": "Correct-Horse-1!", "organizationName": "Mallory"}
    errors = user.graphql(query, {"input": guest})["errors"]
    assert errors[0]["extensions"]["code"] == "signup_disabled"


@pytest.mark.parametrize(
    "path",
    ["/sidekiq", "/sidekiq/queues", "/metrics", "/admin/organizations", "/karafka", "/graphiql", "/data_api/v1/charges",
     "/rails/conductor/action_mailbox/inbound_emails", "/ready"],
)  # fmt: skip
def test_what_is_not_for_the_public_is_not_found(user: LagoUser, path: str) -> None:
    answer = user.request("GET", path, headers={"Accept": "text/plain"})
    assert (answer.status, answer.text) == (404, "")


@pytest.mark.parametrize("path", ["/webhooks", "/api/customers", "/rails/plans", "/acme-billing/customers"])
def test_pages_of_any_organization_are_the_fronts(user: LagoUser, path: str) -> None:
    assert user.request("GET", path).text == user.request("GET", "/").text


# --- what is on the server -----------------------------------------------------------------------------------------


def test_only_the_ports_asked_for_listen_beyond_loopback(deployment: Deployment) -> None:
    listening = re.findall(r"LISTEN\s+\d+\s+\d+\s+(\S+):(\d+)\s", deployment.shell("ss", "-ltnH"))
    beyond = {int(port) for address, port in listening if not address.startswith(("127.", "[::1]"))}
    assert beyond == {80, 443}


def test_every_service_runs_and_is_healthy(deployment: Deployment) -> None:
    running = containers(deployment)
    assert set(running) == ALL_SERVICES
    assert {name for name, entry in running.items() if entry["State"]["Health"]["Status"] != "healthy"} == set()  # type: ignore[index]


def test_containers_hold_no_more_than_they_need(deployment: Deployment) -> None:
    for name, entry in containers(deployment).items():
        host: dict[str, object] = entry["HostConfig"]  # type: ignore[assignment]
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name  # type: ignore[operator]
        assert host["Memory"] > 0, name  # type: ignore[operator]
        assert host["LogConfig"]["Config"]["max-size"], name  # type: ignore[index]
        assert not host["Privileged"], name
        if name in ("api", "worker", "clock"):
            assert not host["CapAdd"], name
            assert host["ReadonlyRootfs"], name
            assert entry["Config"]["User"] == "10001:10001", name  # type: ignore[index]


def test_secrets_are_roots_alone(deployment: Deployment) -> None:
    assert deployment.shell("stat", "-c", "%a %U", deployment.directory).strip() == "700 root"
    for name in SECRET_FILES:
        mode = deployment.shell("stat", "-c", "%a", f"{deployment.directory}/{name}").strip()
        assert mode in ("600", "400"), f"{name} has mode {mode}"


def test_no_secret_is_in_a_command_line_or_a_label(deployment: Deployment) -> None:
    secrets = json.loads(deployment.read(f"{deployment.directory}/secrets.json"))["secrets"]
    listed = deployment.shell("ps", "-eo", "args")
    labels = json.dumps([entry["Config"]["Labels"] for entry in containers(deployment).values()])  # type: ignore[index]
    for name, value in {**secrets, "api_key": deployment.key}.items():
        assert value not in listed, f"{name} stands in a command line"
        assert value not in labels, f"{name} stands in a label"


def test_partitions_are_made_ahead_by_themselves(deployment: Deployment) -> None:
    assert deployment.sql("SELECT count(*) FROM partman.part_config") == "1"
    ahead = """SELECT count(*) FROM pg_inherits WHERE inhparent = 'enriched_events'::regclass
               AND inhrelid::regclass::text ~ ('_p?' || to_char(now() + interval '1 month', 'YYYY_?MM'))"""
    future = """SELECT string_agg(format('DROP TABLE %s', inhrelid::regclass), '; ') FROM pg_inherits
                WHERE inhparent = 'enriched_events'::regclass AND inhrelid::regclass::text !~ 'default'
                AND regexp_replace(inhrelid::regclass::text, '\\D', '', 'g') > to_char(now(), 'YYYYMM') || '31'"""
    assert deployment.sql(ahead) == "1"
    deployment.sql(deployment.sql(future))
    assert deployment.sql(ahead) == "0"
    deployment.shell("docker", "restart", "lago-db-1")  # the maintenance runs when the server starts, then every hour
    wait_until(lambda: "accepting" in deployment.shell("docker", "exec", "lago-db-1", "pg_isready", check=False))
    wait_until(lambda: deployment.sql(ahead) == "1")
    assert deployment.sql("SELECT maintenance_last_run > now() - interval '5 min' FROM partman.part_config") == "t"


def test_the_queue_keeps_its_jobs_over_a_restart(deployment: Deployment) -> None:
    redis = ("docker", "exec", "lago-redis-1", "redis-cli")
    deployment.shell(*redis, "lpush", "queue:nobody-reads-this", "job")
    deployment.shell("docker", "restart", "lago-redis-1")
    wait_until(lambda: deployment.shell(*redis, "ping", check=False).strip() == "PONG")
    assert deployment.shell(*redis, "lrange", "queue:nobody-reads-this", "0", "-1").strip() == "job"
    deployment.shell(*redis, "del", "queue:nobody-reads-this")
    assert deployment.shell(*redis, "config", "get", "maxmemory-policy").split()[-1] == "noeviction"


# --- what the operator meets ---------------------------------------------------------------------------------------


def test_a_further_run_changes_nothing_and_starts_few_modules(deployment: Deployment) -> None:
    before = {name: entry["Id"] for name, entry in containers(deployment).items()}
    run = deployment.run(ansible_python_interpreter=deployment.count_starts())
    assert run.code == 0, run.output
    assert run.recap["changed"] == 0, run.output
    assert {name: entry["Id"] for name, entry in containers(deployment).items()} == before
    verification = 1
    starts = deployment.starts()
    assert starts - verification <= 8, f"{starts} modules were started on the server"


def test_check_mode_on_a_running_deployment_predicts_no_change(deployment: Deployment) -> None:
    run = deployment.run("--check", "--diff")
    assert run.code == 0, run.output
    assert run.recap["changed"] == 0, run.output


def test_images_of_other_releases_are_pruned_on_request_and_only_lagos(deployment: Deployment) -> None:
    deployment.shell("docker", "tag", "redis:7-alpine", "redis:6-alpine")
    deployment.shell("docker", "tag", "redis:7-alpine", "getlago/api:v1.49.0")
    run = deployment.run(playbook=str(deployment.inventory.parent / "prune.yml"))
    assert (run.code, run.recap["changed"]) == (0, 1), run.output
    left = deployment.shell("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").split()
    assert "getlago/api:v1.49.0" not in left
    assert {"getlago/api:v1.51.0", "redis:6-alpine"} <= set(left)
    deployment.shell("docker", "rmi", "redis:6-alpine")


def test_a_password_changed_in_lagos_own_page_breaks_nothing(
    deployment: Deployment, user: LagoUser, admin_password: str
) -> None:
    digest = deployment.sql(f"SELECT password_digest FROM users WHERE email = '{EMAIL}'")
    try:
        changed = "crypt('Another-Horse-1!', gen_salt('bf', 12))"
        deployment.sql(f"UPDATE users SET password_digest = {changed} WHERE email = '{EMAIL}'")
        assert user.login(EMAIL, "Another-Horse-1!")
        assert user.login(EMAIL, admin_password) is None
        run = deployment.run()
        assert run.code == 0, run.output
        assert run.recap["changed"] == 0, run.output
    finally:
        deployment.sql(f"UPDATE users SET password_digest = '{digest}' WHERE email = '{EMAIL}'")


def test_the_key_is_written_to_the_controller_only_when_asked(deployment: Deployment, tmp_path: Path) -> None:
    asked = tmp_path / "lago.key"
    run = deployment.run(playbook=str(deployment.inventory.parent / "bootstrap_only.yml"), lago_api_key_file=str(asked))
    assert (run.code, run.recap["changed"]) == (0, 1), run.output
    assert asked.read_text() == f"{deployment.key}\n"
    assert asked.stat().st_mode & 0o777 == 0o600
    assert deployment.key not in run.output


def test_one_user_and_one_organization_were_ever_made(deployment: Deployment) -> None:
    assert deployment.sql("SELECT (SELECT count(*) FROM users) || ' ' || (SELECT count(*) FROM organizations)") == "1 1"
    assert deployment.shell("docker", "ps", "-aq", "--filter", "name=register").strip() == ""
