# SPDX-License-Identifier: GPL-3.0-or-later
"""Every dedicated worker does the jobs that are meant for it, whoever asks for them, and nobody else does."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outside.deployment import Deployment

INVENTORY = Path(__file__).parents[1] / "inventory.yml"
QUEUES = {
    "worker-ai_agent": {"ai_agent"},
    "worker-alerts": {"alerts", "alerts_high_priority"},
    "worker-analytics": {"analytics", "analytics_low_priority"},
    "worker-billing": {"billing", "billing_low_priority"},
    "worker-clock": {"clock_worker"},
    "worker-events": {"events"},
    "worker-payments": {"payments"},
    "worker-pdfs": {"pdfs"},
    "worker-wallets": {"wallets"},
    "worker-webhook": {"webhook_worker"},
}
JOB = re.compile(r"class=(\S+) jid=\S+ queue=(\S+): done")


class Workers(Deployment):
    """What Redis and the workers themselves tell."""

    def __init__(self) -> None:
        super().__init__("testbed-workers", INVENTORY)

    def redis(self, *arguments: str) -> str:
        return self.shell("docker", "exec", "lago-redis-1", "redis-cli", "--raw", *arguments).strip()

    def waiting(self) -> dict[str, int]:
        """Jobs that nobody took yet, by queue."""
        names = self.redis("SMEMBERS", "queues").split()
        return {name: int(self.redis("LLEN", f"queue:{name}")) for name in names}

    def consumers(self) -> list[dict[str, Any]]:
        """The processes that take jobs, as they tell Redis."""
        return [json.loads(self.redis("HGET", name, "info")) for name in self.redis("SMEMBERS", "processes").split()]

    def done(self) -> dict[str, set[tuple[str, str]]]:
        """Class and queue of the jobs that each service did."""
        services = self.shell("docker", "compose", "--project-directory", self.directory, "ps", "--services").split()
        found = {}
        for service in services:
            if service.startswith("worker"):
                said = self.shell("docker", "compose", "--project-directory", self.directory, "logs", service)
                found[service] = set(JOB.findall(said))
        return found


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """The condition's answer once it is true; what the last one was, otherwise."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds} s: {found}"
    return found


@pytest.fixture(scope="module")
def lago() -> Workers:
    return Workers()


def test_a_job_of_every_kind_is_done_by_the_worker_meant_for_it(lago: Workers) -> None:
    """The default worker asks for one of each, as it does of its own accord whenever something is to be billed."""
    job = {"class": "Sidekiq::ActiveJob::Wrapper", "wrapped": "StandIn::OneOfEachJob", "jid": "0", "queue": "default"}
    lago.redis("LPUSH", "queue:default", json.dumps({**job, "args": [{"arguments": [{}]}]}))
    kinds = {queue for queues in QUEUES.values() for queue in queues}

    def all_done() -> bool:
        return kinds <= {kind.removeprefix("StandIn::") for done in lago.done().values() for kind, _ in done}

    until(all_done)
    by_service = {
        service: {queue for kind, queue in done if kind.startswith("StandIn::") and kind != "StandIn::OneOfEachJob"}
        for service, done in lago.done().items()
    }
    assert by_service == {"worker": set(), **QUEUES}


def test_what_the_api_and_the_clock_ask_for_goes_there_too(lago: Workers) -> None:
    lago.user("https://billing.example.com").meter(lago.key)
    until(lambda: ("Events::PostProcessJob", "events") in lago.done()["worker-events"])
    until(lambda: ("SendWebhookJob", "webhook_worker") in lago.done()["worker-webhook"])
    until(lambda: any(kind.startswith("Clock::") for kind, _ in lago.done()["worker-clock"]))
    assert not any(kind.startswith("Clock::") for kind, _ in lago.done()["worker"])


def test_no_queue_is_left_without_a_consumer(lago: Workers) -> None:
    consumed = {queue for process in lago.consumers() for queue in process["queues"]}
    assert set(lago.waiting()) - consumed == set()
    until(lambda: not any(lago.waiting().values()))


def test_each_is_as_many_and_as_wide_as_it_was_said(lago: Workers) -> None:
    wide = sorted((tuple(process["queues"]), process["concurrency"]) for process in lago.consumers())
    assert [concurrency for queues, concurrency in wide if queues == ("events",)] == [10, 10]
    assert [concurrency for queues, concurrency in wide if queues == ("pdfs",)] == [2]
    assert [concurrency for queues, concurrency in wide if "alerts" in queues] == [3]
    limits = '{{index .Config.Labels "com.docker.compose.service"}} {{.HostConfig.Memory}}'
    names = lago.shell("docker", "ps", "-q").split()
    memory = dict(line.split() for line in lago.shell("docker", "inspect", "-f", limits, *names).splitlines())
    assert (memory["worker-alerts"], memory["worker-billing"]) == (str(450 * 2**20), str(500 * 2**20))
