# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on the way of an upgrade: the former release serves with all rows, and the next run finishes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chaos import runs
from chaos.places import BROKEN, FROM, TO, Place
from chaos.server import SERVICES, Server
from chaos.stories import URL, breaks
from outside.deployment import Run
from outside.writer import Writer

#: Read by the clock alone, which does not start unless it is a number.
LAST = "LAGO_SUBSCRIPTION_ACTIVITY_PROCESSING_INTERVAL_SECONDS"


def ended(**variables: Any) -> Run:
    return runs.start(**variables).end()


def refused(run: Run, *says: str) -> None:
    assert run.code != 0, run.output[-6000:]
    said = " ".join(run.output.split())
    assert [one for one in says if one not in said] == [], run.output[-6000:]


def serves_the_former_release(server: Server) -> None:
    user = server.user(URL)
    assert user.request("GET", "/health").json["version"] == FROM
    assert user.rest("GET", "billable_metrics", server.key).status == 200
    assert set(server.running()) == SERVICES and not server.exists("/opt/lago/upgrade.json")
    assert server.sql("SELECT to_regclass('invoice_connections') IS NULL") == "t"
    assert server.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'lago_%'") == "0"


def untouched(server: Server, **variables: Any) -> Run:
    """A run that finds out before anything stops that it cannot be."""
    before = server.running()
    run = ended(lago_version=TO, **variables)
    assert run.code != 0 and server.running() == before and not server.exists("/opt/lago/upgrade.json")
    return run


@contextmanager
def meanwhile(server: Server, strike: Callable[[], Any]) -> Iterator[None]:
    """Strike once the newer release's migration is under way."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            if "lago-migrate" in server.shell("docker", "ps", "--format", "{{.Names}}", check=False):
                strike()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def broken(server: Server, fault: str) -> None:
    """A release that is broken, while somebody sends events."""
    says = breaks(server, fault)
    code = server.sql("SELECT external_id FROM subscriptions LIMIT 1")
    with Writer(server.user(URL), server.key, code) as writer:
        run = ended(lago_version=TO, lago_upgrade_timeout=20, lago_start_timeout=60)
    refused(run, f"The upgrade from {FROM} to {TO} failed", says, f"{FROM} runs again with the data of before")
    assert writer.acknowledged
    assert set(writer.acknowledged) <= set(server.sql("SELECT transaction_id FROM events").split())


def database_restarted(server: Server) -> None:
    breaks(server, "migration_hangs")
    with meanwhile(server, lambda: server.shell("docker", "restart", "lago-db-1")):
        run = ended(lago_version=TO, lago_start_timeout=60)
    refused(run, f"{FROM} runs again with the data of before")


def image_missing(server: Server) -> None:
    refused(untouched(server, lago_api_version="v1.51.9"), "What getlago/api:v1.51.9: Error response from daemon")


def registry_gone(server: Server) -> None:
    """In the midst of the pull."""
    server.shell("docker", "image", "rm", "--force", f"getlago/api:{TO}", f"getlago/front:{TO}", check=False)
    before = server.running()
    wall = ("OUTPUT", "--protocol", "tcp", "--dport", "5000", "--jump", "REJECT", "--reject-with", "tcp-reset")
    try:
        place = Place("Every image of the way is on the server", after=0.5)
        run = runs.struck(place, lambda: print(server.shell("iptables", "--insert", *wall)), lago_version=TO)
    finally:
        server.shell("iptables", "--delete", *wall)
    refused(run, "neither data nor services were touched")
    assert server.running() == before and not server.exists("/opt/lago/upgrade.json")


def disk_too_small(server: Server) -> None:
    server.shell("sh", "-c", "mkdir -p /srv/small && mount -t tmpfs -o size=1m small /srv/small")
    try:
        run = untouched(server, lago_backup_directory="/srv/small/backups")
    finally:
        server.shell("umount", "/srv/small")
    refused(run, "A backup needs", "bytes in /srv/small/backups")


def disk_full(server: Server) -> None:
    """There is room when it is looked for, and none any more once the dump begins."""
    small = "/srv/small"
    begun = f"test -e {small}/backups/.*.unfinished/database.dump"
    # To the least that what lies there already allows.
    gone = f"for size in 8k 16k 32k; do mount -o remount,size=$size {small} && break; done"
    server.shell("sh", "-c", f"mkdir -p {small} && mount -t tmpfs -o size=128m small {small}")
    try:
        server.shell("sh", "-c", f"timeout 300 sh -c 'until {begun}; do sleep 0.01; done; {gone}' >/dev/null 2>&1 &")
        run = ended(lago_version=TO, lago_backup_directory=f"{small}/backups")
        left = server.shell("ls", "-A", f"{small}/backups").split()
    finally:
        server.shell("umount", "--lazy", small)
    refused(run, "The database cannot be dumped", f"{FROM} runs again with the data of before")
    assert left == []


def left_to_be_looked_at(server: Server) -> None:
    """What failed stays, closed, where that is asked for; from there the release of before leads back."""
    breaks(server, "keys_fail")
    run = ended(lago_version=TO, lago_upgrade_rollback=False)
    refused(run, "all is left as it is, with the edge closed")
    assert server.user(URL).request("GET", "/health").status == 503
    assert json.loads(server.read("/opt/lago/upgrade.json"))["phase"] == "walking"
    assert server.sql("SELECT to_regclass('invoice_connections') IS NOT NULL") == "t"
    runs.to_the_end(lago_version=FROM)


FAULTS: dict[str, Callable[[Server], None]] = {
    **{fault: lambda server, fault=fault: broken(server, fault) for fault in BROKEN},  # type: ignore[misc]
    "database_restarted": database_restarted,
    "image_missing": image_missing,
    "registry_gone": registry_gone,
    "disk_too_small": disk_too_small,
    "disk_full": disk_full,
    "left_to_be_looked_at": left_to_be_looked_at,
}


def test_the_former_release_serves_with_all_rows(former: Server, fault: str) -> None:
    rows = int(former.sql("SELECT count(*) FROM events"))
    FAULTS[fault](former)
    serves_the_former_release(former)
    assert int(former.sql("SELECT count(*) FROM events")) >= rows


@pytest.mark.thorough
def test_once_the_edge_is_open_nothing_leads_back_by_itself(former: Server) -> None:
    """What starts last does not start: the newer release serves without it, and the next run finishes."""
    run = ended(lago_version=TO, lago_extra_env={"clock": {LAST: "soon"}})
    way_back = f"-e lago_version={FROM} -e lago_restore_backup=lago-"
    refused(run, f"Lago was upgraded from {FROM} to {TO}, and stays so", "lose whatever was sent since", way_back)
    user = former.user(URL)
    assert user.request("GET", "/health").json["version"] == TO
    assert user.rest("GET", "billable_metrics", former.key).status == 200
    assert json.loads(former.read("/opt/lago/upgrade.json"))["phase"] == "opened"
    runs.to_the_end(lago_version=TO)
    assert runs.to_the_end(lago_version=TO).recap["changed"] == 0
