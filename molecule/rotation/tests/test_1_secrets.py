# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets become others while events are sent: the former end, the new ones work, nothing that was taken is lost."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

from chaos import runs
from outside.deployment import CACHE, Run, password
from outside.lago_user import ME
from outside.lifecycle import EMAIL, LONG_RUNNING, Lifecycle, done, refused
from outside.writer import Writer

SECRETS = "/opt/lago/secrets.json"
KEY_FILE = CACHE / "rotation.key"
ROTATE = "selfhosted.lago.rotate"
#: Who works, and for how long.
LEASED = re.compile(r"Another run works on this deployment: \S+@\S+, process \d+, since [-\d: ]+ UTC \(\d+ minutes\)")
INTEGRATION = """INSERT INTO integrations (organization_id, type, code, name, secrets, created_at, updated_at)
  SELECT id, 'Integrations::AnrokIntegration', 'anrok', 'Anrok', 'as Lago encrypts', now(), now() FROM organizations"""
ENCRYPTION = ("encryption_primary_key", "encryption_deterministic_key", "encryption_key_derivation_salt")
MADE = ("redis_password", "redis_cache_password")
# Of a queue that nobody takes from, and of a day far away: they wait.
WAITING = {"class": "Waiting::Job", "queue": "waiting", "args": [1], "jid": "0123456789abcdef01234567", "retry": True}


def kept(lago: Lifecycle) -> dict[str, str]:
    return dict(json.loads(lago.read(SECRETS))["secrets"])


def rotate(lago: Lifecycle, *names: str, arguments: tuple[str, ...] = (), **variables: Any) -> Run:
    """The playbook; whatever comes of it, it shows no secret of before or after."""
    former = kept(lago)
    run = lago.run(*arguments, playbook=ROTATE, lago_rotate=list(names), **variables)
    given = {"postgres_password": "given by the operator"}
    assert [name for found in (former, kept(lago), given) for name, value in found.items() if value in run.output] == []
    return run


def started(lago: Lifecycle) -> dict[str, str]:
    return {service: one["State"]["StartedAt"] for service, one in lago.containers().items()}


def public_key(lago: Lifecycle) -> str:
    return str(lago.member().rest("GET", "webhooks/json_public_key", lago.key).json["webhook"]["public_key"])


def redis(lago: Lifecycle, service: str, *arguments: str) -> str:
    return lago.docker("exec", f"lago-{service}-1", "redis-cli", *arguments, check=False)


def test_passwords_while_events_are_sent(lago: Lifecycle) -> None:
    """Two that were made, and one that is given: by giving another."""
    first, second = "given by the operator", "given by the operator later"
    lago.variables |= {"lago_postgres_password": first}
    done(lago.run())
    refused(rotate(lago, "postgres_password"), "lago_postgres_password is given, and is what it was")
    lago.member().meter(lago.key)
    code = lago.sql("SELECT external_id FROM subscriptions LIMIT 1")
    redis(lago, "redis", "LPUSH", "queue:waiting", json.dumps(WAITING))
    redis(lago, "redis", "ZADD", "schedule", "4102444800.5", json.dumps({**WAITING, "queue": "default"}))
    former, before = kept(lago), lago.ids()
    lago.variables |= {"lago_postgres_password": second}
    with Writer(lago.member(), lago.key, code) as writer:
        run = done(rotate(lago, "postgres_password", *MADE))
    taken = set(writer.acknowledged)
    assert len(taken) > 5 and taken <= set(lago.sql("SELECT transaction_id FROM events").split())
    new = kept(lago)
    assert {name for name in new if new[name] != former[name]} == set(MADE)
    assert (lago.enters(first), lago.enters(second)) == (False, True)
    for service, name in (("redis", "redis_password"), ("redis-cache", "redis_cache_password")):
        assert "WRONGPASS" in redis(lago, service, "--no-auth-warning", "-a", former[name], "PING")
        assert redis(lago, service, "PING") == "PONG"
    assert redis(lago, "redis", "LLEN", "queue:waiting") == "1"
    assert redis(lago, "redis", "ZCOUNT", "schedule", "4102444800", "+inf") == "1"
    assert {name for name, one in lago.ids().items() if before[name] == one} == {"front", "pdf", "proxy"}
    print(f"nothing was taken for {writer.closed_seconds:.1f} s", run.recap)


def test_the_next_run_changes_nothing(lago: Lifecycle) -> None:
    before = lago.ids()
    assert done(lago.run()).recap["changed"] == 0
    assert lago.ids() == before


def test_check_mode_says_it_and_does_nothing(lago: Lifecycle) -> None:
    before, there = started(lago), lago.read(SECRETS)
    run = done(rotate(lago, "secret_key_base", "redis_password", "api_key", arguments=("--check", "--diff")))
    assert "everybody is logged out" in run.output
    assert "SECRET_KEY_BASE=******** (changed)" in run.output
    assert (started(lago), lago.read(SECRETS)) == (before, there)


def test_another_secret_key_base_and_another_rsa_key(lago: Lifecycle) -> None:
    """Sessions end, webhooks are signed by another key, and nothing else. Nobody else can rotate anything meanwhile."""
    user, stores = lago.member(), {name: one for name, one in started(lago).items() if name in ("db", "redis")}
    token = user.login(EMAIL, password("rotation")) or ""
    assert "errors" not in user.graphql(ME, token=token)
    before, former, asked = public_key(lago), kept(lago), ["secret_key_base", "rsa_private_key"]
    first = runs.start(playbook=ROTATE, inventory=lago.inventory, **lago.variables, lago_rotate=asked)
    assert first.reached("The secrets are the ones that the data was written with")
    second = refused(rotate(lago, "redis_password"), "Another run works on this deployment: ")
    assert first.process.poll() is None, "it was refused only when the first had ended"
    assert LEASED.search(" ".join(second.output.split()))
    run = done(first.end())
    assert {name for name, value in kept(lago).items() if value != former[name]} == set(asked)
    assert [name for found in (former, kept(lago)) for name, value in found.items() if value in run.output] == []
    assert "everybody is logged out" in run.output and "json_public_key" in run.output
    assert "errors" in user.graphql(ME, token=token)
    assert user.login(EMAIL, password("rotation"))
    assert user.rest("GET", "organizations", lago.key).status == 200
    assert public_key(lago) != before
    assert {name: one for name, one in started(lago).items() if name in stores} == stores


def test_another_api_key_and_the_former_is_refused(lago: Lifecycle) -> None:
    """It alone stops nothing."""
    old, before = lago.key, started(lago)
    run = done(rotate(lago, "api_key", lago_api_key_file=str(KEY_FILE)))
    assert lago.key != old
    assert [key for key in (old, lago.key) if key in run.output] == []
    assert KEY_FILE.read_text().strip() == lago.key
    statuses = [lago.member().rest("GET", "organizations", key).status for key in (old, lago.key)]
    assert (statuses, started(lago)) == ([401, 200], before)


def test_encryption_keys_stay_while_an_integration_is_there(lago: Lifecycle) -> None:
    lago.sql(INTEGRATION)
    before, there = started(lago), lago.read(SECRETS)
    run = refused(rotate(lago, "encryption_keys", "redis_password"), "1 row is encrypted", "remove these connections")
    assert run.output.count("=== Lago: FAILED =") == 1
    assert (started(lago), lago.read(SECRETS)) == (before, there)


def test_a_provider_that_is_connected_meanwhile_is_seen(lago: Lifecycle) -> None:
    """Counted again when nobody works any more; then everything works again with the keys that it had."""
    lago.sql("DELETE FROM integrations")
    lago.member().connect(EMAIL, password("rotation"), "first")
    lago.sql("CREATE TABLE beside AS SELECT * FROM payment_providers; DELETE FROM payment_providers")
    there = lago.read(SECRETS)

    def meanwhile() -> None:
        end = time.monotonic() + 300
        while "clock" in lago.running() and time.monotonic() < end:
            time.sleep(0.05)
        lago.sql("INSERT INTO payment_providers SELECT * FROM beside; DROP TABLE beside")

    other = threading.Thread(target=meanwhile)
    other.start()
    run = rotate(lago, "encryption_keys")
    other.join()
    refused(run, "1 row is encrypted")
    assert lago.read(SECRETS) == there
    assert lago.running() == LONG_RUNNING
    assert lago.member().connected(EMAIL, password("rotation")) == ["first"]


def test_without_any_they_are_others_and_what_is_encrypted_then_is_read(lago: Lifecycle) -> None:
    former = kept(lago)
    lago.sql("UPDATE payment_providers SET deleted_at = now(), secrets = NULL")
    done(rotate(lago, "encryption_keys"))
    assert {name for name, value in kept(lago).items() if value != former[name]} == set(ENCRYPTION)
    lago.member().connect(EMAIL, password("rotation"), "second")
    assert lago.member().connected(EMAIL, password("rotation")) == ["second"]


def test_a_run_that_was_killed_is_finished_by_the_next(lago: Lifecycle) -> None:
    """Once the files were written; nothing was made anew by then. What was given is made here from now on."""
    former, before = lago.variables.pop("lago_postgres_password"), lago.ids()
    done(lago.stack("secrets", "render", __lago_rotating=["postgres_password", "redis_password"]))
    assert lago.ids() == before
    done(lago.run())
    assert (lago.enters(former), lago.enters(kept(lago)["postgres_password"])) == (False, True)
    assert redis(lago, "redis", "LLEN", "queue:waiting") == "1"


def test_what_cannot_be_rotated_is_said_before_anything_stops(lago: Lifecycle) -> None:
    before, there = started(lago), lago.read(SECRETS)
    refused(rotate(lago), "lago_rotate names nothing")
    wrong = rotate(lago, "postgres_passwort", "api_key", lago_admin_password="")
    refused(wrong, "'postgres_password' is meant", "Set lago_admin_password")
    assert (started(lago), lago.read(SECRETS)) == (before, there)
