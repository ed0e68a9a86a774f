# SPDX-License-Identifier: GPL-3.0-or-later
"""From one release to the next: data and key stay, a failure leaves the old release at work, there is no way back."""

from __future__ import annotations

from outside.lifecycle import LONG_RUNNING, Lifecycle, done, refused

NEW = "v1.51.0"
PROCESSES = ("api", "worker", "clock")


def test_an_upgrade_that_fails_leaves_the_old_release_at_work(lago: Lifecycle) -> None:
    lago.member().meter(lago.key, units=3)
    lago.sql("CREATE TABLE invoice_connections (of_somebody_else int)")
    before, ids, key = lago.rows(), lago.ids(), lago.key
    refused(
        lago.stack(lago_version=NEW),
        "The upgrade from v1.50.0 to v1.51.0 failed",
        'relation "invoice_connections" already exists',
        "v1.50.0 runs again with the data of before",
    )
    assert {name: lago.ids()[name] for name in PROCESSES} == {name: ids[name] for name in PROCESSES}
    assert set(PROCESSES) < lago.running()
    assert lago.member().request("GET", "/health").json["version"] == "v1.50.0"
    assert lago.member().rest("GET", "billable_metrics", key).status == 200
    assert lago.rows() == before


def test_an_upgrade_keeps_data_and_key(lago: Lifecycle) -> None:
    lago.sql("DROP TABLE invoice_connections")
    # What a killed CREATE INDEX CONCURRENTLY leaves.
    lago.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'index_plans_on_name_gin'::regclass")
    before, key = lago.rows(), lago.key
    lago.variables["lago_version"] = NEW
    done(lago.run())
    assert lago.member().request("GET", "/health").json["version"] == NEW
    assert (lago.rows(), lago.key) == (before, key)
    assert lago.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0"
    assert done(lago.stack()).recap["changed"] == 0


def test_a_database_that_cannot_be_asked_is_not_taken_for_an_empty_one(lago: Lifecycle) -> None:
    postgres = ("exec", "lago-db-1", "psql", "-U", "lago", "-d", "postgres", "-Atc")
    before, ids = lago.rows(), lago.ids()
    lago.docker(*postgres, "ALTER DATABASE lago WITH ALLOW_CONNECTIONS false")
    try:
        refused(lago.stack(), "could not be asked what it holds and is left as it is", "were left at work")
    finally:
        lago.docker(*postgres, "ALTER DATABASE lago WITH ALLOW_CONNECTIONS true")
    assert (lago.rows(), lago.ids(), lago.running()) == (before, ids, LONG_RUNNING)


def test_there_is_no_way_back(lago: Lifecycle) -> None:
    before = lago.ids()
    run = lago.stack(lago_version="v1.50.0")
    refused(run, "lago_version", "The database is of v1.51.0; v1.50.0 is older", "set lago_version back to v1.51.0")
    assert (run.recap["changed"], lago.ids()) == (0, before)
