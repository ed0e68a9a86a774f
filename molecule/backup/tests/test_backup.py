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
from outside.lago_user import ME, LagoUser
from testbed import servers

from .conftest import URL, Server

ADYEN = "mutation add($input: AddAdyenPaymentProviderInput!) { addAdyenPaymentProvider(input: $input) { id } }"
PROVIDERS = "query { paymentProviders { collection { ... on AdyenProvider { code apiKey merchantAccount } } } }"
# Of a queue that nobody takes from, and of a day far away: they wait.
WAITING = {"class": "Waiting::Job", "queue": "waiting", "args": [1], "jid": "0123456789abcdef01234567", "retry": True}
STATE = Path(__file__).parents[1] / "state.yml"
KEPT = CACHE / "backup"
TIMED = {
    "lago_backup_schedule": "*-*-* *:*:0/5",
    "lago_backup_keep": 2,
    "lago_backup_failure_command": 'echo "$SERVICE_RESULT" >> /root/told',
}
# A timer may be a minute late, and tries again after five: so that nobody has to wait for it here.
HASTE = """
cd /etc/systemd/system && mkdir lago-backup.timer.d lago-backup.service.d &&
printf '[Timer]\nAccuracySec=1s\n' > lago-backup.timer.d/haste.conf &&
printf '[Service]\nRestartSec=3s\n' > lago-backup.service.d/haste.conf
"""


class Story:
    """What the first server had, for the second one to be compared with."""

    name = ""
    identity = ""
    recipient = ""
    tables: dict[str, str]
    events: set[str]
    files: str
    authority: str
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


def asked(user: LagoUser, query: str, variables: dict[str, Any] | None = None) -> Any:
    """What the administrator gets in the pages of the organization."""
    token = user.login("ada@example.com", password("backup")) or ""
    me = user.graphql(ME, token=token)["data"]["currentUser"]
    answer = user.graphql(query, variables, token, me["memberships"][0]["organization"]["id"])
    assert "errors" not in answer, answer
    return answer["data"]


def providers(user: LagoUser) -> Any:
    return asked(user, PROVIDERS)["paymentProviders"]["collection"]


def test_a_backup_is_taken_under_load(first: Server, story: Story) -> None:
    run = first.run()
    assert run.code == 0, run.output
    user, story.key = first.user(URL), first.key
    user.meter(story.key)
    provider = {"apiKey": "canary-adyen", "code": "adyen", "merchantAccount": "acme", "name": "Adyen"}
    assert asked(user, ADYEN, {"input": provider})["addAdyenPaymentProvider"]["id"]
    place = "/app/storage/ab/cd"
    write = f"mkdir -p {place} && head -c 300000 /dev/urandom > {place}/invoice && chmod 640 {place}/invoice"
    first.shell("docker", "exec", "lago-api-1", "sh", "-c", write)
    # From now on every job waits.
    first.shell("docker", "stop", "lago-worker-1", "lago-clock-1")
    first.redis("LPUSH", "queue:waiting", json.dumps(WAITING))
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
        story.recipient = first.shell("age-keygen", "-y", "/root/identity").strip()
        run = first.run(
            playbook="selfhosted.lago.backup",
            lago_backup_recipients=[story.recipient],
            lago_backup_rehearse=True,
            lago_backup_fetch_to=str(KEPT),
        )
    finally:
        over.set()
        sender.join()
    assert run.code == 0, run.output
    assert refused == [] and len(story.sent) > len(story.sent_before)
    (story.name,) = first.backups()
    tables = first.sql("SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'").split()
    story.tables = {name: first.table(name) for name in tables if name != "events"}
    story.events = set(first.table("events").splitlines())
    story.files = first.files("lago_storage")
    assert "ab/cd/invoice" in story.files
    story.authority = first.read("/opt/lago/ca.crt")
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


@pytest.mark.parametrize("part", ["queue.rdb", "database.dump", "proxy.tar", "database.dump.age", "manifest.json"])
def test_one_that_is_killed_leaves_nothing_under_a_final_name(first: Server, story: Story, part: str) -> None:
    script = (
        "cd /opt/lago/program; python3 -B -m lago_backup backup --label killed >/dev/null 2>&1 & pid=$!; "
        "while kill -0 $pid 2>/dev/null && ! [ -e /var/backups/lago/.lago-*.unfinished/$0 ]; do :; done; kill -9 $pid"
    )
    first.shell("sh", "-c", script, part, check=False)
    there = first.backups()
    assert story.name in there
    assert there == first.whole_backups()
    assert part == "manifest.json" or there == [story.name]


def test_everything_is_destroyed_but_the_copy_elsewhere(first: Server, story: Story) -> None:
    assert (KEPT / story.name / "manifest.json").exists()
    servers.remove(first.server)


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


def test_another_release_or_another_key_is_refused_before_anything_is_touched(second: Server, story: Story) -> None:
    refused(restore(second, story, lago_version="v1.50.0"), "lago_version: v1.51.0")
    assert untouched(second)
    refused(
        restore(second, story, lago_encryption_primary_key="0123456789abcdef" * 4),
        "lago_encryption_primary_key is not the key",
    )
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
    assert set(second.table("events").splitlines()) <= story.events
    assert second.files("lago_storage") == story.files
    assert second.read("/opt/lago/ca.crt") == story.authority


def test_the_key_works_and_encrypted_values_are_read(second: Server, story: Story) -> None:
    user = second.user(URL)
    assert second.key == story.key
    assert user.rest("GET", "billable_metrics", story.key).status == 200
    assert providers(user) == story.providers


def test_waiting_jobs_wait_and_the_others_are_done(second: Server, story: Story) -> None:
    assert json.loads(second.redis("LINDEX", "queue:waiting", "0")) == WAITING
    assert second.redis("ZSCORE", "schedule", json.dumps({**WAITING, "queue": "default"})) == "4102444800.5"
    end = time.monotonic() + 60
    while second.redis("LLEN", "queue:default") != "0" and time.monotonic() < end:
        time.sleep(0.5)
    assert second.redis("LLEN", "queue:default") == "0"


def test_the_next_run_changes_nothing(second: Server) -> None:
    run = second.run()
    assert (run.code, run.recap["changed"]) == (0, 0), run.output


def test_the_timer_takes_them_and_the_newest_stay(second: Server, story: Story, bucket: dict[str, Any]) -> None:
    second.shell("sh", "-c", HASTE)
    timed = {**TIMED, **bucket, "lago_backup_recipients": [story.recipient]}
    run = second.run(**timed)
    assert run.code == 0, run.output
    for number in range(3):
        newest = second.backups()[-1]
        second.until(f"test $(ls /var/backups/lago | tail -n 1) != {newest}")
        assert (number, second.shell("systemctl", "show", "-P", "Result", "lago-backup.service")) == (
            number,
            "success\n",
        )
    second.until("test $(ls /var/backups/lago | wc -l) = 2")
    assert story.name not in second.backups()
    run = second.run(**timed)
    assert (run.code, run.recap["changed"]) == (0, 0), run.output


def test_one_that_fails_is_seen_and_the_last_good_one_stays(second: Server, tmp_path: Path) -> None:
    second.shell("docker", "stop", "lago-db-1")
    second.until("systemctl is-failed lago-backup.service && test $(wc -l < /root/told) -ge 2")
    assert set(second.read("/root/told").split()) == {"exit-code"}
    kept = second.whole_backups()
    assert kept == second.backups() and len(kept) == 2
    assert "database" in second.shell("journalctl", "-u", "lago-backup.service", "-n", "20", "-o", "cat")
    second.shell("docker", "start", "lago-db-1")
    second.until(f"test $(ls /var/backups/lago | tail -n 1) != {kept[-1]}")
    facts = tmp_path / "facts.json"
    run = second.run(playbook=str(STATE), facts=str(facts))
    assert run.code == 0, run.output
    last = json.loads(facts.read_text())["backup"]
    assert last["name"] > kept[-1] and 0 <= last["age"] < 600 and last["encrypted"] is True


def test_without_a_schedule_no_timer_stays(second: Server) -> None:
    run = second.run()
    assert run.code == 0, run.output
    assert second.shell("systemctl", "list-timers", "--all", "--no-legend", "lago-*") == ""
    assert not second.exists("/etc/systemd/system/lago-backup.timer")


def test_a_restore_that_was_killed_holds_everybody_up_until_it_is_finished(
    second: Server, story: Story, bucket: dict[str, Any]
) -> None:
    last = second.backups()[-1]
    event(second.user(URL), story.key, 999999)
    second.shell("sh", "-c", 'umask 077; printf %s "$0" > /root/identity', story.identity)
    script = (
        "cd /opt/lago/program; python3 -B -m lago_backup secrets $0 </root/identity; "
        "python3 -B -m lago_backup restore $0 </root/identity & pid=$!; "
        "while kill -0 $pid && ! [ -e /var/lib/docker/volumes/lago_storage/_data.restored ]; do :; done; kill -9 $pid"
    )
    second.shell("sh", "-c", script, last)
    refused(second.run(), "A restore was broken off", f"lago_restore_backup: /var/backups/lago/{last}")
    second.shell("rm", "-r", f"/var/backups/lago/{last}")
    given = {"lago_restore_backup": last, "lago_restore_from": "s3", "lago_backup_identity": story.identity}
    run = second.run(playbook="selfhosted.lago.restore", **given, **bucket, lago_backup_unencrypted=True)
    assert run.code == 0, run.output
    (aside,) = second.databases("lago_before_")
    assert aside in run.output
    assert [second.rows(name, "transaction_id = 'event-999999'") for name in ("lago", aside)] == [0, 1]
    run = second.run()
    assert (run.code, run.recap["changed"]) == (0, 0), run.output
