# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a backup, in the order of the tests: taken under load, damaged, refused, and brought back elsewhere."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from outside.deployment import CACHE, password
from outside.lago_user import LagoUser

from .conftest import URL, Server

ADYEN = "mutation add($input: AddAdyenPaymentProviderInput!) { addAdyenPaymentProvider(input: $input) { id } }"
PROVIDERS = "query { paymentProviders { collection { ... on AdyenProvider { code apiKey merchantAccount } } } }"
# Of queues that no worker of this deployment takes from, and of a day far away: they wait.
WAITING = {"class": "Waiting::Job", "queue": "billing", "args": [1], "jid": "0123456789abcdef01234567", "retry": True}
KEPT = CACHE / "backup"


class Story:
    """What the first server had, for the second one to be compared with."""

    name = ""
    identity = ""
    tables: dict[str, str]
    files: dict[str, str]
    providers: Any = None
    key = ""
    sent_before: set[str]
    sent: set[str]


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def event(user: LagoUser, key: str, number: int) -> str:
    """Send an event until it is acknowledged, and return its id."""
    code = f"event-{number:06d}"
    body = {"event": {"transaction_id": code, "external_subscription_id": "none", "code": "none", "properties": {}}}
    answer = user.rest("POST", "events", key, body)
    assert answer.status == 200, answer.text
    return code


def providers(user: LagoUser) -> Any:
    token = user.login("ada@example.com", password("backup")) or ""
    return user.graphql(PROVIDERS, token=token)["data"]["paymentProviders"]["collection"]


def test_a_backup_is_taken_under_load(first: Server, story: Story) -> None:
    run = first.run()
    assert run.code == 0, run.output
    user, story.key = first.user(URL), first.key
    user.meter(story.key)
    token = user.login("ada@example.com", password("backup")) or ""
    provider = {"apiKey": "canary-adyen", "code": "adyen", "merchantAccount": "acme", "name": "Adyen"}
    assert user.graphql(ADYEN, {"input": provider}, token)["data"]["addAdyenPaymentProvider"]["id"]
    place = "/app/storage/ab/cd"
    write = f"mkdir -p {place} && head -c 300000 /dev/urandom > {place}/invoice && chmod 640 {place}/invoice"
    first.shell("docker", "exec", "lago-api-1", "sh", "-c", write)
    # From now on every job waits.
    first.shell("docker", "stop", "lago-worker-1", "lago-clock-1")
    first.redis("LPUSH", "queue:billing", json.dumps(WAITING))
    first.redis("ZADD", "schedule", "4102444800.5", json.dumps({**WAITING, "queue": "default"}))
    story.sent = {event(user, story.key, number) for number in range(5)}
    story.sent_before = set(story.sent)
    over, refused = threading.Event(), list[str]()

    def send() -> None:
        number = 5
        while not over.is_set():
            try:
                story.sent.add(event(user, story.key, number))
            except AssertionError as error:
                refused.append(str(error))
            number += 1

    sender = threading.Thread(target=send)
    sender.start()
    try:
        story.identity = first.read("/root/identity")
        recipient = first.shell("age-keygen", "-y", "/root/identity").strip()
        run = first.run(
            playbook="selfhosted.lago.backup",
            lago_backup_recipients=[recipient],
            lago_backup_rehearse=True,
            lago_backup_fetch_to=str(KEPT),
        )
    finally:
        over.set()
        sender.join()
    assert run.code == 0, run.output
    assert refused == [] and len(story.sent) > len(story.sent_before)
    (story.name,) = first.shell("ls", "/var/backups/lago").split()
    tables = first.sql("SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'").split()
    story.tables = {name: first.table(name) for name in tables if name != "events"}
    story.files = {"lago_storage": first.files("lago_storage")}
    story.providers = providers(user)
    assert story.providers[0]["code"] == "adyen"


def test_it_can_be_checked_and_read_without_us(first: Server, story: Story, tmp_path: Path) -> None:
    """With what every administrator has: sha256sum, age, tar."""
    place = f"/var/backups/lago/{story.name}"
    first.shell("sh", "-c", f"cd {place} && sha256sum --check --quiet manifest.json.sha256")
    said = json.loads(first.read(f"{place}/manifest.json"))
    for part in said["parts"].values():
        assert first.shell("sha256sum", f"{place}/{part['file']}").split()[0] == part["sha256"]
    listed = first.shell("sh", "-c", f"age -d -i /root/identity {place}/deployment.tar.age | tar -t")
    assert {"./secrets.json", "secrets.json"} & set(listed.split())
    assert "canary" not in first.shell("sh", "-c", f"cat {place}/*")


def test_everything_is_destroyed_but_the_copy_elsewhere(first: Server, story: Story) -> None:
    assert (KEPT / story.name / "manifest.json").exists()
    first.shell(
        "sh",
        "-c",
        "docker rm -f $(docker ps -aq) && docker volume rm $(docker volume ls -q) && rm -r /opt/lago /var/backups/lago",
    )


def untouched(server: Server) -> bool:
    """Whether nothing of a deployment is on the server, but for the program that looks at backups."""
    there = server.shell("sh", "-c", "docker ps -aq; docker volume ls -q; ls /opt/lago 2>/dev/null || true").split()
    return set(there) <= {"backup.json", "program"}


def restore(server: Server, story: Story, **variables: Any) -> Any:
    given = {"lago_restore_backup": story.name, "lago_backup_identity": story.identity, **variables}
    given |= {"lago_restore_from": "controller", "lago_backup_fetch_to": str(KEPT), "lago_backup_unencrypted": True}
    return server.run(playbook="selfhosted.lago.restore", **given)


def refused(run: Any, *words: str) -> None:
    said = " ".join(run.output.split())
    assert run.code != 0
    for word in words:
        assert word in said, run.output


def test_another_key_or_another_release_is_refused_before_anything_is_touched(second: Server, story: Story) -> None:
    refused(
        restore(second, story, lago_encryption_primary_key="0123456789abcdef" * 4),
        "lago_encryption_primary_key is not the key",
    )
    assert untouched(second)
    refused(restore(second, story, lago_version="v1.50.0"), "lago_version: v1.51.0")
    assert untouched(second)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("printf X | dd of=queue.rdb.age bs=1 seek=300 conv=notrunc", "queue.rdb.age has another content"),
        ("truncate -s -1 database.dump.age", "database.dump.age has"),
    ],
)
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    second: Server, story: Story, damage: str, says: str
) -> None:
    damaged = f"{story.name}-damaged"
    second.shell(
        "sh", "-c", f"cd /var/backups/lago && cp -a {story.name} {damaged} && cd {damaged} && {damage} 2>/dev/null"
    )
    command = f"cd /opt/lago/program && python3 -B -m lago_backup restore {damaged} </dev/null 2>&1"
    assert says in second.shell("sh", "-c", command, check=False)
    second.shell("rm", "-r", f"/var/backups/lago/{damaged}")
    assert untouched(second)


def test_a_stranger_s_identity_opens_nothing(second: Server, story: Story) -> None:
    command = f"cd /opt/lago/program && age-keygen 2>/dev/null | python3 -B -m lago_backup restore {story.name} 2>&1"
    assert "cannot be decrypted" in second.shell("sh", "-c", command, check=False)
    assert untouched(second)


def test_it_comes_back_on_a_bare_server(second: Server, story: Story) -> None:
    run = restore(second, story)
    assert run.code == 0, run.output
    assert story.identity.splitlines()[-1] not in run.output
    assert {name: second.table(name) for name in story.tables} == story.tables
    events = set(second.sql("SELECT transaction_id FROM events WHERE transaction_id LIKE 'event-%'").split())
    assert story.sent_before <= events <= story.sent
    assert second.files("lago_storage") == story.files["lago_storage"]


def test_the_key_works_and_encrypted_values_are_read(second: Server, story: Story) -> None:
    user = second.user(URL)
    assert second.key == story.key
    assert user.rest("GET", "billable_metrics", story.key).status == 200
    assert providers(user) == story.providers


def test_waiting_jobs_wait_and_the_others_are_done(second: Server, story: Story) -> None:
    assert json.loads(second.redis("LINDEX", "queue:billing", "0")) == WAITING
    assert second.redis("ZSCORE", "schedule", json.dumps({**WAITING, "queue": "default"})) == "4102444800.5"
    end = time.monotonic() + 60
    while second.redis("LLEN", "queue:default") != "0" and time.monotonic() < end:
        time.sleep(0.5)
    assert second.redis("LLEN", "queue:default") == "0"


def test_the_next_run_changes_nothing(second: Server) -> None:
    run = second.run()
    assert (run.code, run.recap["changed"]) == (0, 0), run.output
