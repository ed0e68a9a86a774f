# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker, clock, front and PDF service do what others rely on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from contract.standin_bed import Bed, until

from testbed import containers

PROCESSED = "stat:processed"


def redis(bed: Bed, *arguments: str, number: int = 0) -> str:
    code, said = containers.run(bed.redis.name, "redis-cli", "-n", str(number), *arguments)
    assert code == 0, said
    return said.strip()


def processed(bed: Bed) -> int:
    return int(redis(bed, "GET", PROCESSED) or 0)


def enqueue(bed: Bed, job: str, number: int = 0, **given: Any) -> None:
    inner = {"job_class": job, "arguments": [given]}
    record = {
        "class": "Sidekiq::ActiveJob::Wrapper",
        "wrapped": job,
        "queue": "default",
        "args": [inner],
        "jid": uuid.uuid4().hex,
    }
    redis(bed, "LPUSH", "queue:default", json.dumps(record), number=number)


def liveness(worker: Any) -> str:
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8080/any"]
    return str(worker.exec_run(command).output.decode())


@pytest.fixture(scope="module")
def worker(bed: Bed) -> Iterator[Any]:
    made = bed.lago("worker", ["./scripts/start.worker.sh"])
    until("the worker", lambda: redis(bed, "SCARD", "processes") == "1")
    yield made
    made.kill()


def test_a_job_is_taken_and_counted(bed: Bed, worker: Any) -> None:
    before = processed(bed)
    enqueue(bed, "SegmentIdentifyJob")
    until("the job", lambda: processed(bed) > before)


def test_the_worker_tells_about_itself(bed: Bed, worker: Any) -> None:
    identity = redis(bed, "SMEMBERS", "processes")
    info = json.loads(redis(bed, "HGET", identity, "info"))
    assert info["queues"][:2] == ["high_priority", "default"]
    assert "clock" in info["queues"]
    assert float(redis(bed, "HGET", identity, "beat")) > 0
    assert liveness(worker) == "200"


def test_the_clock_fires_everything_at_its_start(bed: Bed, worker: Any) -> None:
    before = processed(bed)
    clock = bed.lago("clock", ["./scripts/start.clock.sh"])
    said = until("the clock", lambda: (text := clock.logs().decode()).count("Triggering 'schedule:") >= 8 and text)
    assert "Triggering 'schedule:process_subscription_activity'" in said
    assert "Triggering 'schedule:refresh_wallets_ongoing_balance'" in said
    until("its jobs", lambda: processed(bed) >= before + 8)
    clock.stop(timeout=20)
    clock.reload()
    assert clock.attrs["State"]["ExitCode"] == 143, "TERM is enough"


def test_the_clock_dies_without_redis(bed: Bed) -> None:
    clock = bed.lago("lost-clock", ["./scripts/start.clock.sh"], REDIS_URL="redis://127.0.0.1:1")
    status, said = bed.finish(clock)
    assert status == 1
    assert "RedisClient::CannotConnectError" in said


def test_the_worker_lives_by_redis(bed: Bed, worker: Any) -> None:
    bed.redis.kill()
    try:
        until("the worker to notice", lambda: liveness(worker) == "404")
    finally:
        bed.redis.start()
    until("the worker to come back", lambda: liveness(worker) == "200")


def test_a_mail_without_a_user_name_fails(bed: Bed) -> None:
    settings = {"LAGO_SMTP_ADDRESS": "127.0.0.1", "REDIS_URL": "redis://redis:6379/5"}
    mailer = bed.lago("mailer", ["./scripts/start.worker.sh"], **settings)
    enqueue(bed, "PasswordResetMailer", 5, to="a@example.com", token="t")
    until("the mail to fail", lambda: "SMTP-AUTH requested but missing user name" in mailer.logs().decode())
    mailer.kill()


def test_the_worker_finishes_what_it_has_in_hand(bed: Bed) -> None:
    leaving = bed.lago("leaving", ["./scripts/start.worker.sh"], REDIS_URL="redis://redis:6379/6")
    until("the worker", lambda: "Queues:" in leaving.logs().decode())
    for _ in range(2):
        enqueue(bed, "StandIn::SleepJob", 6, seconds=2)
    until("a job", lambda: "class=StandIn::SleepJob" in leaving.logs().decode())
    leaving.stop(timeout=35)
    said = leaving.logs().decode()
    assert said.count(": start") == said.count(": done") > 0
    assert redis(bed, "SCARD", "processes", number=6) == "0"
    assert "Bye!" in said
    leaving.reload()
    assert leaving.attrs["State"]["ExitCode"] == 0


def test_the_front_writes_its_configuration_as_root(bed: Bed) -> None:
    capabilities = ["CHOWN", "NET_BIND_SERVICE", "SETGID", "SETUID"]
    settings = {"API_URL": "https://lago.test", "LAGO_DISABLE_SIGNUP": "true"}
    hardened = {"cap_drop": ["ALL"], "cap_add": capabilities, "security_opt": ["no-new-privileges:true"]}
    front = bed.run("testbed/front:v1.51.0", "front", ["ignored"], settings, **hardened)

    def get(path: str) -> str:
        return str(front.exec_run(["curl", "-sf", f"http://127.0.0.1{path}"]).output.decode())

    until("nginx", lambda: get("/"))
    assert 'window.API_URL = "https://lago.test"' in get("/env-config.js")
    assert 'window.LAGO_DISABLE_SIGNUP = "true"' in get("/env-config.js")
    assert get("/no/such/path") == get("/")
    assert "stand-in" in get("/")
    front.restart(timeout=5)
    until("nginx", lambda: get("/"))
    assert get("/env-config.js").count("window.API_URL") == 1


def test_the_pdf_service_makes_a_pdf(bed: Bed) -> None:
    pdf = bed.run("testbed/pdf:7.8.2", "pdf", None, None, cap_drop=["ALL"], security_opt=["no-new-privileges:true"])
    until("health", lambda: pdf.exec_run(["curl", "-sf", "http://127.0.0.1:3000/health"]).exit_code == 0)
    assert pdf.exec_run(["id", "-u"]).output == b"1001\n"
    command = "echo '<p>' > /tmp/index.html; curl -sf -F files=@/tmp/index.html http://127.0.0.1:3000/forms/chromium/convert/html"
    made = pdf.exec_run(["sh", "-c", command]).output
    assert made.startswith(b"%PDF-1.4")
    assert made.rstrip().endswith(b"%%EOF")
