# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lago of upstream's own kind, with data and all its defaults, is looked at, taken over in place, and lives on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chaos import places, runs
from outside.deployment import Run, password
from outside.lago_user import LagoUser
from outside.lifecycle import EMAIL, ORGANIZATION, done, refused

from .conftest import PLACE, Adopted

ADOPT, MEND = "selfhosted.lago.adopt", "selfhosted.lago.mend_partitions"
REGISTER = "mutation registerUser($input: RegisterUserInput!) { registerUser(input: $input) { token user { id } } }"
#: Over ten months, and one of a day for which no partition is made.
ENRICHED = """INSERT INTO enriched_events (organization_id, event_id, code, "timestamp", enriched_at)
  SELECT (SELECT id FROM organizations), gen_random_uuid(), 'code', at, now()
  FROM (SELECT now() - n * interval '10 days' AS at FROM generate_series(0, 30) n
        UNION SELECT now() + interval '2 years') x"""
WAITING = {"class": "Waiting::Job", "queue": "waiting", "args": [1], "jid": "0123456789abcdef01234567", "retry": True}
FORMER = {"lago-api", "lago-clock", "lago-db", "lago-front", "lago-pdf", "lago-redis", "lago-worker"}
TABLES = ("organizations", "users", "api_keys", "plans", "customers", "events", "payment_providers")


class Before:
    """What was there."""

    rows: str
    public_key: str
    key: str


def rows(lago: Adopted) -> str:
    """The content, row by row."""
    return "\n".join(lago.row(f"SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM {table} t") for table in TABLES)


def ids(lago: Adopted) -> str:
    """Which rows there are, whatever columns they have by now."""
    return "\n".join(
        lago.row(f"SELECT count(*), md5(string_agg(id::text, '' ORDER BY id)) FROM {table}") for table in TABLES
    )


def public_key(user: LagoUser, key: str) -> str:
    return str(user.rest("GET", "webhooks/json_public_key", key).json["webhook"]["public_key"])


def adopt(lago: Adopted, *arguments: str, **variables: Any) -> Run:
    return lago.run(*arguments, playbook=ADOPT, **variables)


def running(lago: Adopted) -> dict[str, str]:
    """Since when each container runs."""
    names = lago.docker("ps", "--format", "{{.Names}}").split()
    return {name: lago.docker("inspect", "-f", "{{.State.StartedAt}}", name) for name in names}


def test_somebody_started_lago_with_upstream_s_file_and_uses_it(lago: Adopted) -> None:
    lago.shell("mkdir", "-p", PLACE)
    lago.put(f"{PLACE}/docker-compose.yml", (Path(__file__).parent / "docker-compose.yml").read_text())
    key = lago.shell("sh", "-c", "openssl genrsa 2048 | base64 -w0")
    lago.put(f"{PLACE}/.env", f'LAGO_RSA_PRIVATE_KEY="{key}"\n')
    lago.upstream("up", "-d", "--wait", "db", "redis", "api", "api-worker", "api-clock", "front", "pdf")
    user = lago.plain
    given = {"email": EMAIL, "password": password("adopt"), "organizationName": ORGANIZATION}
    assert user.graphql(REGISTER, {"input": given})["data"]["registerUser"]["token"]
    Before.key = lago.row("SELECT value FROM api_keys")
    user.meter(Before.key, units=3)
    user.connect(EMAIL, password("adopt"), "adyen")
    lago.docker("exec", "lago-api", "sh", "-c", "mkdir -p storage/ab && echo invoice > storage/ab/file")
    lago.docker("exec", "lago-redis", "redis-cli", "LPUSH", "queue:waiting", json.dumps(WAITING))
    Before.rows, Before.public_key = rows(lago), public_key(user, Before.key)
    assert {80, 3000, 5432, 6379} <= lago.listens()


def test_it_is_looked_at_and_nothing_is_touched(lago: Adopted) -> None:
    """By check mode, and by a run that nobody confirmed."""
    before = running(lago)
    for arguments in (("--check",), ()):
        run = done(adopt(lago, *arguments))
        for said in (
            "SECRET_KEY_BASE is upstream's public one",
            "1 row is encrypted",
            "password of PostgreSQL is a known one",
            "lago-redis and lago-db can be reached",
            "/sidekiq",
            "Anybody can register",
            "lago_postgres_database: lago",
        ):
            assert said in run.output, said
        assert "changeme" not in run.output and "canary" not in run.output
        assert (running(lago), lago.exists("/opt/lago/adopted.json")) == (before, False)


def test_what_would_change_by_the_way_stands_in_it(lago: Adopted) -> None:
    before = running(lago)
    refused(adopt(lago, lago_adopt_confirm="lago", lago_project="lago"), "set lago_project to a name of its own")
    run = adopt(lago, lago_adopt_confirm="lago", lago_version="v1.51.0", lago_telemetry=False)
    refused(run, "lago_api_version is 'v1.51.0', and 'v1.45.2' there", "lago_telemetry is 'false'")
    assert running(lago) == before


def as_it_was(lago: Adopted) -> None:
    assert set(running(lago)) == FORMER
    assert (rows(lago), public_key(lago.plain, Before.key)) == (Before.rows, Before.public_key)
    assert lago.docker("exec", "lago-redis", "redis-cli", "LLEN", "queue:waiting") == "1"
    assert not lago.exists("/opt/lago/adopted.json")


def test_what_fails_on_the_way_leads_back(lago: Adopted) -> None:
    """Here the proxy's image is one that does not start."""
    run = refused(
        adopt(lago, lago_adopt_confirm="lago", lago_proxy_image="redis:7-alpine", lago_start_timeout=30),
        "said last:",
        "was not taken over: its containers run again",
    )
    assert run.output.count("=== Lago: FAILED =") == 1
    as_it_was(lago)


def test_a_run_that_is_killed_when_all_has_ended_is_finished_by_the_next(lago: Adopted) -> None:
    """Which puts back what was there before, and takes it over in place then."""
    confirmed: dict[str, Any] = {**lago.variables, "lago_adopt_confirm": "lago"}
    killed = runs.start(runs.Kill(places.UP), ADOPT, inventory=lago.inventory, **confirmed)
    killed.end()
    assert killed.killed and not FORMER & set(running(lago)), killed.tasks()
    refused(lago.run(), "did not end: run the playbook adopt again")
    run = done(adopt(lago, lago_adopt_confirm="lago"))
    assert "was taken over" in run.output and "changeme" not in run.output
    assert not FORMER & set(running(lago))
    assert rows(lago) == Before.rows


def test_partitions_are_made_ahead_from_now_on(lago: Adopted) -> None:
    """What upstream's first start left: a table whose rows all go to one.

    What stands in the way leads back; a clock that starts no more is told of, and the next run starts what is stopped.
    """
    lago.row(ENRICHED)
    rows_of_it = "SELECT count(*), md5(string_agg(e::text, '' ORDER BY e::text)) FROM enriched_events e"
    partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'enriched_events'::regclass"
    before, started = lago.row(rows_of_it), running(lago)
    assert lago.row(partitions) == "1"
    run = done(lago.run("--check", playbook=MEND))
    assert "would be moved" in run.output and running(lago) == started
    lago.row("CREATE TABLE by_hand PARTITION OF enriched_events FOR VALUES FROM ('2031-01-01') TO ('2031-02-01')")
    run = refused(
        lago.run(playbook=MEND),
        "enriched_events has partitions that somebody made by hand: by_hand. Nothing was changed.",
        "No row was moved. API, worker and clock run again as they were",
    )
    assert run.output.count("=== Lago: FAILED =") == 1
    assert (lago.row(rows_of_it), set(running(lago))) == (before, set(started))
    lago.row("DROP TABLE by_hand")
    lago.docker("stop", "billing-clock-1")
    lago.docker("update", "--memory", "6m", "--memory-swap", "6m", "billing-clock-1")
    refused(
        lago.run(playbook=MEND, lago_start_timeout=30),
        "=== Lago: FAILED",
        "The rows are in partitions by month. API, worker and clock were started again as they were and are not",
    )
    assert (lago.row(rows_of_it), int(lago.row(partitions)) > 20) == (before, True)
    assert set(started) - set(running(lago)) <= {"billing-clock-1"}, "which Docker starts again and again"
    lago.docker("stop", "billing-clock-1")
    lago.docker("update", "--memory", "1g", "--memory-swap", "1g", "billing-clock-1")
    assert done(lago.run(playbook=MEND)).recap["changed"] == 1
    assert set(running(lago)) == set(started)


def test_the_key_and_everything_else_is_what_it_was(lago: Adopted) -> None:
    done(lago.run())
    assert lago.key == Before.key
    user = lago.member()
    assert user.rest("GET", "organizations", Before.key).json["organization"]["name"] == ORGANIZATION
    assert public_key(user, Before.key) == Before.public_key
    assert user.connected(EMAIL, password("adopt")) == ["adyen"]
    assert lago.docker("exec", "billing-redis-1", "redis-cli", "LLEN", "queue:waiting") == "1"
    assert lago.docker("exec", "billing-api-1", "cat", "storage/ab/file").strip() == "invoice"
    assert lago.listens() & {80, 443, 3000, 5432, 6379} == {80, 443}


def test_from_then_on_it_is_like_any_other(lago: Adopted) -> None:
    run = done(lago.run())
    assert run.recap["changed"] == 0
    assert "encryption keys are upstream's public ones" in run.output, "in every run"
    run = done(lago.run(playbook="selfhosted.lago.rotate", lago_rotate=["secret_key_base", "postgres_password"]))
    assert "SECRET_KEY_BASE is upstream's" not in run.output
    refused(adopt(lago, lago_adopt_confirm="lago"), "was taken over already")


def test_what_was_there_before_must_not_work_on_the_same_data(lago: Adopted) -> None:
    lago.docker("start", "lago-pdf")
    try:
        refused(lago.run(), "lago-pdf run again", "two databases on one volume")
    finally:
        lago.docker("stop", "lago-pdf")


def test_it_is_upgraded_like_any_other(lago: Adopted) -> None:
    """By way of a stop, with a backup of the volumes that keep their names."""
    before = ids(lago)
    run = done(lago.run(lago_version="v1.50.0", lago_upgrade_confirm="v1.50.0"))
    assert "Lago was upgraded from v1.45.2 to v1.50.0" in " ".join(run.output.split())
    assert "encryption keys are upstream's public ones" in run.output
    assert ids(lago) == before
    user = lago.member()
    assert user.rest("GET", "organizations", lago.key).json["organization"]["name"] == ORGANIZATION
    assert user.connected(EMAIL, password("adopt")) == ["adyen"]
    assert lago.docker("exec", "billing-redis-1", "redis-cli", "LLEN", "queue:waiting") == "1"
    assert lago.docker("exec", "billing-api-1", "cat", "storage/ab/file").strip() == "invoice"
