# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in of the API answers what the real one answered: every exchange is sent again, in every state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from contract import compare
from contract.replay import Step, steps
from contract.standin_bed import NEWEST, RELEASES, Api, Bed, until

GROUPS = ("health", "bootstrap", "organization", "metering")
ADYEN = "mutation add($input: AddAdyenPaymentProviderInput!) { addAdyenPaymentProvider(input: $input) { id } }"
KEYS = "query apiKeys { apiKeys { collection { id } } }"
KEY = "query apiKey($id: ID!) { apiKey(id: $id) { value } }"
METRIC = {"billable_metric": {"name": "m", "code": "m", "aggregation_type": "sum_agg", "field_name": "n"}}


def replay(api: Api, recorded: list[Step], comparison: compare.Comparison) -> list[str]:
    """Sends the recorded requests again and returns what came back otherwise."""
    found = []
    for step in recorded:
        asked, answered = step["request"], step["response"]
        body = asked["body"]
        raw = body["__raw__"].encode() if isinstance(body, dict) and "__raw__" in body else None
        sent = comparison.translate(asked["headers"])
        live = api.ask(asked["method"], comparison.translate(asked["path"]), sent, raw or comparison.translate(body))
        wanted = answered["body"]
        if isinstance(wanted, dict) and "<!doctype html>" in str(wanted.get("__text__")):
            wanted = live.body if "<title>Sidekiq</title>" in str(live.body) else wanted
        differs = (
            [] if live.status == answered["status"] else [f"status is {live.status} instead of {answered['status']}"]
        )
        differs += compare.headers(answered["headers"], live.headers)
        differs += comparison.differences(wanted, live.body)
        found += [f"{step['name']}: {one}" for one in differs]
    return found


@pytest.mark.parametrize("release", RELEASES)
def test_groups(bed: Bed, release: str) -> None:
    database = bed.copy(f"groups-{release}", f"roles-{release}")
    api = bed.api(f"api-{release}", database=database, release=release, LAGO_SIDEKIQ_WEB="true")
    comparison = compare.Comparison()
    recorded = [step for group in GROUPS for step in steps(group, release)]
    assert replay(api, recorded, comparison) == []
    assert len(recorded) > 60
    api.container.kill()


class State:
    """The organization that was there before, and what stands for its recorded ids, key and token."""

    def __init__(self, api: Api, email: str, name: str) -> None:
        made = api.register(email, name).body["data"]["registerUser"]
        self.token, self.organization = made["token"], made["organization"]["id"]
        found = api.graphql(KEYS, {}, self.token, self.organization).body["data"]["apiKeys"]["collection"]
        key = api.graphql(KEY, {"id": found[0]["id"]}, self.token, self.organization).body["data"]["apiKey"]
        self.key = key["value"]
        given = {"apiKey": "adyen-secret-key", "code": "a", "name": "A", "merchantAccount": "m"}
        made = api.graphql(ADYEN, {"input": given}, self.token, self.organization).body
        assert made["data"]["addAdyenPaymentProvider"]["id"]

    def comparison(self, group: str, **more: str) -> compare.Comparison:
        """With what stands for the recorded key, token and organization of this group."""
        recorded = {step["name"]: step["request"]["headers"] for step in steps(group)}
        session = recorded["api keys, valid token"]
        key = recorded["organization, valid key"]["Authorization"].removeprefix("Bearer ")
        token = session["Authorization"].removeprefix("Bearer ")
        return compare.Comparison(
            {key: self.key, token: self.token, session["x-lago-organization"]: self.organization, **more}
        )


@pytest.fixture(scope="module")
def lago(bed: Bed) -> Iterator[tuple[Api, State]]:
    """A healthy API on the database `lago`, with the organization of the recorded states in it."""
    bed.sql("DROP DATABASE lago WITH (FORCE)", "postgres")
    bed.copy("lago", f"roles-{NEWEST}")
    api = bed.api("api")
    yield api, State(api, "state@example.com", "State")
    api.container.kill()


def test_healthy(lago: tuple[Api, State]) -> None:
    api, state = lago
    assert replay(api, steps("healthy"), state.comparison("healthy")) == []


def test_signup_disabled(bed: Bed, lago: tuple[Api, State]) -> None:
    api = bed.api("closed", LAGO_DISABLE_SIGNUP="true")
    assert replay(api, steps("signup_disabled"), lago[1].comparison("signup_disabled")) == []
    api.container.kill()


def test_encryption_keys_changed(bed: Bed, lago: tuple[Api, State]) -> None:
    api = bed.api("changed", LAGO_ENCRYPTION_PRIMARY_KEY="another")
    assert replay(api, steps("encryption_keys_changed"), lago[1].comparison("encryption_keys_changed")) == []
    api.container.kill()


def test_redis_down(bed: Bed, lago: tuple[Api, State]) -> None:
    bed.redis.kill()
    try:
        assert replay(lago[0], steps("redis_down"), lago[1].comparison("redis_down")) == []
    finally:
        bed.redis.start()


@pytest.mark.parametrize("state", ["roles_not_seeded", "database_not_migrated"])
def test_unfinished(bed: Bed, state: str) -> None:
    database = bed.copy(state, f"bare-{NEWEST}" if state == "roles_not_seeded" else None)
    api = bed.api(state.replace("_", "-"), database=database)
    assert replay(api, steps(state), compare.Comparison()) == []
    api.container.kill()


def test_half_migrated(bed: Bed) -> None:
    """An upgrade over a skipped stop: charges without the code that only that stop's jobs would have filled."""
    old, database = RELEASES[0], bed.copy("half", f"roles-{RELEASES[0]}")
    api = bed.api("half-old", database=database, release=old)
    state = State(api, "up@example.com", "Up")
    key = {"Authorization": f"Bearer {state.key}"}
    metric = api.ask("POST", "/api/v1/billable_metrics", key, METRIC).body["billable_metric"]["lago_id"]
    charge: Any = {"billable_metric_id": metric, "charge_model": "standard", "properties": {"amount": "1"}}
    plan = {
        "name": "p",
        "code": "p",
        "interval": "monthly",
        "amount_cents": 0,
        "amount_currency": "EUR",
        "charges": [charge],
    }
    assert api.ask("POST", "/api/v1/plans", key, {"plan": plan}).status == 200
    api.container.kill()
    bed.sql("UPDATE charges SET code = NULL", database)
    for attempt in ("first", "second"):
        migrate = bed.lago(f"half-{attempt}", ["bundle", "exec", "rails", "db:migrate"], database)
        status, said = bed.finish(migrate)
        assert status == 1
        assert 'check constraint "charges_code_not_null" of relation "charges" is violated by some row' in said
    api = bed.api("half-new", database=database)
    assert replay(api, steps("database_half_migrated"), state.comparison("database_half_migrated")) == []
    api.container.kill()


def test_database_missing_then_down(bed: Bed, lago: tuple[Api, State]) -> None:
    """The last one: it takes the database away from the API that the tests before it asked."""
    api, state = lago
    bed.sql("DROP DATABASE lago WITH (FORCE)", "postgres")
    assert replay(api, steps("database_missing"), compare.Comparison()) == []
    bed.db.stop()
    try:
        assert replay(api, steps("database_down"), state.comparison("database_down", **{"127.0.0.1": "db"})) == []
    finally:
        bed.db.start()
        until("PostgreSQL", lambda: bed.db.exec_run("pg_isready -q -h 127.0.0.1").exit_code == 0)
        bed.copy("lago")
