# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that are broken in one way or another: the former one serves with all rows, and the next run finishes.

Runs that are killed and servers that lose their power have a place of their own: tests/chaos.
"""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from outside.lifecycle import LONG_RUNNING, Lifecycle, done, refused
from outside.writer import Writer

FROM, TO = "v1.50.0", "v1.51.0"
#: Fault: the release that has it, and what is said.
FAULTS = {
    "migration_fails": (TO, "what_nobody_made"),
    "migration_fails_half": (TO, "what_nobody_made"),
    "migration_hangs": (TO, "lago_upgrade_timeout"),
    "migration_dies": (TO, "exit code 137"),
    "unhealthy": (TO, "unhealthy"),
    "keys_fail": (TO, "does not work on the migrated database"),
    "worker_dies": (TO, "does not work on the migrated database"),
    "jobs_hang": (FROM, "are not done"),
}
SEED = os.environ.get("UPGRADE_SEED") or str(random.randrange(10**6))
CHOSEN = sorted(FAULTS) if os.environ.get("UPGRADE_FAULTS") == "all" else random.Random(SEED).sample(sorted(FAULTS), 4)


@pytest.fixture(scope="module", autouse=True)
def _former(lago: Lifecycle) -> None:
    """The former release, with data, in which the newer one is to be broken."""
    print(f"UPGRADE_SEED={SEED}: {', '.join(CHOSEN)}")
    done(lago.stack("down", "remove", lago_remove_data=True))
    lago.variables["lago_version"] = FROM
    done(lago.run())
    lago.member().meter(lago.key, units=3)
    lago.sql("CREATE SCHEMA standin; CREATE TABLE standin.faults (release text, fault text)")


def broken(lago: Lifecycle, fault: str) -> str:
    """Break a release, and return what is said of it."""
    release, says = FAULTS[fault]
    lago.sql(f"DELETE FROM standin.faults; INSERT INTO standin.faults VALUES ('{release}', '{fault}')")
    return says


def serves_the_former_release(lago: Lifecycle) -> None:
    assert lago.member().request("GET", "/health").json["version"] == FROM
    assert lago.member().rest("GET", "billable_metrics", lago.key).status == 200
    assert lago.running() == LONG_RUNNING and not lago.exists("/opt/lago/upgrade.json")
    assert lago.sql("SELECT to_regclass('invoice_connections') IS NULL") == "t"
    assert lago.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'lago_%'") == "0"


@contextmanager
def meanwhile(lago: Lifecycle, strike: Callable[[], Any]) -> Iterator[None]:
    """Strike once the newer release's migration is under way."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            if "lago-migrate" in lago.docker("ps", "--format", "{{.Names}}", check=False):
                strike()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@pytest.mark.parametrize("fault", CHOSEN)
def test_a_broken_release_leaves_the_former_one_with_all_rows(lago: Lifecycle, fault: str) -> None:
    says = broken(lago, fault)
    code = lago.sql("SELECT external_id FROM subscriptions LIMIT 1")
    with Writer(lago.member(), lago.key, code) as writer:
        run = lago.stack(lago_version=TO, lago_upgrade_timeout=20, lago_start_timeout=60)
    refused(run, f"The upgrade from {FROM} to {TO} failed", says, f"{FROM} runs again with the data of before")
    assert writer.acknowledged
    assert set(writer.acknowledged) <= set(lago.sql("SELECT transaction_id FROM events").split())
    serves_the_former_release(lago)


def test_a_database_that_is_restarted_in_the_midst_of_it(lago: Lifecycle) -> None:
    broken(lago, "migration_hangs")
    with meanwhile(lago, lambda: lago.docker("restart", "lago-db-1")):
        run = lago.stack(lago_version=TO, lago_start_timeout=60)
    refused(run, f"{FROM} runs again with the data of before")
    serves_the_former_release(lago)


def test_an_image_that_is_missing_changes_nothing(lago: Lifecycle) -> None:
    before = lago.ids()
    refused(lago.stack(lago_version="v1.51.9", lago_front_version=TO), "v1.51.9")
    assert lago.ids() == before and not lago.exists("/opt/lago/upgrade.json")


def test_a_disk_that_is_too_small_for_the_backup_changes_nothing(lago: Lifecycle) -> None:
    before = lago.ids()
    lago.shell("sh", "-c", "mkdir -p /srv/small && mount -t tmpfs -o size=1m small /srv/small")
    try:
        run = lago.stack(lago_version=TO, lago_backup_directory="/srv/small/backups")
    finally:
        lago.shell("umount", "/srv/small")
    refused(run, "A backup needs", "bytes in /srv/small/backups")
    assert lago.ids() == before and not lago.exists("/opt/lago/upgrade.json")


def test_what_failed_may_be_left_to_be_looked_at(lago: Lifecycle) -> None:
    broken(lago, "keys_fail")
    refused(lago.stack(lago_version=TO, lago_upgrade_rollback=False), "all is left as it is, with the edge closed")
    assert lago.member().request("GET", "/health").status == 503
    assert json.loads(lago.read("/opt/lago/upgrade.json"))["phase"] == "walking"
    assert lago.sql("SELECT to_regclass('invoice_connections') IS NOT NULL") == "t"


def test_from_there_the_release_of_before_leads_back(lago: Lifecycle) -> None:
    done(lago.stack())
    serves_the_former_release(lago)


def test_mended_the_next_run_finishes(lago: Lifecycle) -> None:
    lago.sql("DELETE FROM standin.faults")
    done(lago.stack(lago_version=TO))
    assert lago.member().request("GET", "/health").json["version"] == TO
    assert done(lago.stack(lago_version=TO)).recap["changed"] == 0
