# SPDX-License-Identifier: GPL-3.0-or-later
"""What the environment says of databases, queues and files is what the stand-in does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from contract import compare
from contract.replay import steps
from contract.standin_bed import NEWEST, Api, Bed, until
from contract.test_standin import replay
from contract.test_standin_processes import enqueue, redis

from testbed import images

DATABASE = "settings"
CONTEXT = images.HERE / "standins" / "api"
KEPT = "query webhooks($id: String!) { webhooks(webhookEndpointId: $id) { collection { payload status response } } }"


@pytest.fixture(scope="module")
def api(bed: Bed) -> Iterator[Api]:
    """An API and a worker of one machine: they have the same disk."""
    bed.copy(DATABASE, f"roles-{NEWEST}")
    made = bed.api("settings", database=DATABASE, REDIS_URL="redis://redis:6379/7")
    made.container.exec_run(["./scripts/start.worker.sh"], detach=True)
    yield made
    made.container.kill()


@pytest.fixture(scope="module")
def member(bed: Bed, api: Api) -> dict[str, str]:
    """Somebody with an organization: its key, its id and a session."""
    made = api.register("files@example.com", "Files").body["data"]["registerUser"]
    key = bed.sql("SELECT value FROM api_keys", DATABASE)
    return {"key": key, "organization": made["organization"]["id"], "token": made["token"]}


def rest(api: Api, member: dict[str, str], path: str, **body: Any) -> Any:
    answer = api.ask("POST", f"/api/v1/{path}", {"Authorization": f"Bearer {member['key']}"}, body)
    assert answer.status == 200, answer.body
    return answer.body


def kept(api: Api, member: dict[str, str], endpoint: str) -> Any:
    return api.graphql(KEPT, {"id": endpoint}, member["token"], member["organization"])


def test_webhook_endpoints_are_answered_as_recorded(api: Api, member: dict[str, str]) -> None:
    rest(api, member, "webhook_endpoints", webhook_endpoint={"webhook_url": "https://hooks.example.com/lago"})
    recorded = [step for step in steps("webhook_endpoints") if "public key" not in step["name"]]
    key = recorded[0]["request"]["headers"]["Authorization"].removeprefix("Bearer ")
    assert replay(api, recorded, compare.Comparison({key: member["key"]})) == []
    assert len(recorded) > 10


def test_what_a_worker_wrote_is_read_from_the_same_disk_only(bed: Bed, api: Api, member: dict[str, str]) -> None:
    made = rest(api, member, "webhook_endpoints", webhook_endpoint={"webhook_url": "http://127.0.0.1:1/"})
    endpoint = made["webhook_endpoint"]["lago_id"]
    plan = {"name": "p", "code": "p", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR"}
    rest(api, member, "plans", plan={**plan, "pay_in_advance": False})
    rest(api, member, "customers", customer={"external_id": "c", "name": "c", "currency": "EUR"})
    wanted = {"external_customer_id": "c", "plan_code": "p", "external_id": "s"}
    rest(api, member, "subscriptions", subscription=wanted)

    def told() -> Any:
        found = kept(api, member, endpoint).body["data"]["webhooks"]["collection"]
        return [webhook for webhook in found if webhook["status"] == "failed"]

    webhook = until("the webhook", told)[0]
    assert json.loads(webhook["payload"])["subscription"]["external_id"] == "s"
    assert "refused" in webhook["response"]
    other = bed.api("other-disk", database=DATABASE, REDIS_URL="redis://redis:6379/7")
    assert kept(other, member, endpoint).status == 500
    until("its reason", lambda: "ActiveStorage::FileNotFoundError" in other.container.logs().decode())
    other.container.kill()


def test_every_dedicated_queue_has_its_worker() -> None:
    files = list((CONTEXT / "config" / "sidekiq").glob("sidekiq_*.yml"))
    entries = [queue for path in files for queue in yaml.safe_load(path.read_text())["queues"]]
    queues = {queue if isinstance(queue, str) else queue[0] for queue in entries}
    assert len(queues) == len(entries) == 13
    for path in files:
        name = path.stem.removeprefix("sidekiq_")
        assert path.name in (CONTEXT / "scripts" / f"start.{name}.worker.sh").read_text()


def lengths(bed: Bed, number: int) -> dict[str, str]:
    names = redis(bed, "--raw", "KEYS", "queue:*", number=number).split()
    return {name.removeprefix("queue:"): redis(bed, "LLEN", name, number=number) for name in names}


def test_a_flag_sends_jobs_to_the_dedicated_worker(bed: Bed) -> None:
    names = ("AI_AGENT", "ALERTS", "ANALYTICS", "BILLING", "CLOCK", "EVENTS", "PAYMENTS", "PDFS", "WALLETS", "WEBHOOK")
    flags = {f"SIDEKIQ_{name}": "true" for name in names}
    worker = bed.lago("flags", ["./scripts/start.worker.sh"], REDIS_URL="redis://redis:6379/8", **flags)
    enqueue(bed, "StandIn::OneOfEachJob", 8)
    found = until("a job in every queue", lambda: len(there := lengths(bed, 8)) == 13 and there)
    assert set(found.values()) == {"1"}
    worker.kill()
    wallets = bed.lago("wallets", ["./scripts/start.wallets.worker.sh"], REDIS_URL="redis://redis:6379/8")
    until("its worker", lambda: "class=StandIn::wallets" in wallets.logs().decode())
    assert "queue=billing" not in wallets.logs().decode()
    wallets.kill()


def test_an_older_release_knows_nothing_of_newer_workers(bed: Bed) -> None:
    more = {"release": "v1.50.0", "REDIS_URL": "redis://redis:6379/9", "SIDEKIQ_WALLETS": "true"}
    worker = bed.lago("older-worker", ["./scripts/start.worker.sh"], **more)
    assert worker.exec_run(["test", "-e", "scripts/start.wallets.worker.sh"]).exit_code == 1
    enqueue(bed, "StandIn::OneOfEachJob", 9)
    until("the default worker", lambda: "class=StandIn::wallets" in worker.logs().decode())
    worker.kill()


@pytest.mark.parametrize(
    ("name", "value", "jobs", "expected"),
    [
        ("LAGO_DATABASE_STATEMENT_TIMEOUT", "300", 1, "canceling statement due to statement timeout"),
        ("DATABASE_POOL", "1", 2, "could not obtain a connection from the pool within 5.000 seconds"),
    ],
)
def test_sessions_have_their_limits(bed: Bed, name: str, value: str, jobs: int, expected: str) -> None:
    more = {"REDIS_URL": f"redis://redis:6379/{10 + jobs}", name: value}
    worker = bed.lago(f"limits-{jobs}", ["./scripts/start.worker.sh"], f"roles-{NEWEST}", **more)
    for _ in range(jobs):
        enqueue(bed, "StandIn::QueryJob", 10 + jobs, statement="SELECT pg_sleep(60)")
    until("one to fail", lambda: ": fail: " in worker.logs().decode(), 40)
    until("its reason", lambda: expected in worker.logs().decode())
    worker.kill()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"LAGO_AWS_S3_SECRET_ACCESS_KEY": "a: b"}, "Psych::SyntaxError"),
        ({"LAGO_AWS_S3_REGION": None}, "Aws::Errors::MissingRegionError"),
        ({"LAGO_AWS_S3_ENDPOINT": "s3.example.com"}, "expected :endpoint to be a HTTP or HTTPS endpoint"),
    ],
)
def test_a_storage_that_is_none_boots_nothing(bed: Bed, more: dict[str, Any], expected: str) -> None:
    given: dict[str, Any] = {"LAGO_USE_AWS_S3": "true", "LAGO_AWS_S3_REGION": "r", "LAGO_AWS_S3_BUCKET": "b", **more}
    status, said = bed.finish(bed.lago(f"storage-{len(bed.mark)}{len(expected)}", ["./scripts/start.api.sh"], **given))
    assert status == 1
    assert expected in said
