# SPDX-License-Identifier: GPL-3.0-or-later
"""A database with data is never taken for an empty one, nor given to an older release."""

from __future__ import annotations

from outside.lifecycle import LONG_RUNNING, Lifecycle, refused


def test_a_database_that_cannot_be_asked_is_not_taken_for_an_empty_one(lago: Lifecycle) -> None:
    lago.member().meter(lago.key, units=3)
    postgres = ("exec", "lago-db-1", "psql", "-U", "lago", "-d", "postgres", "-Atc")
    before, ids = lago.rows(), lago.ids()
    lago.docker(*postgres, "ALTER DATABASE lago WITH ALLOW_CONNECTIONS false")
    try:
        refused(
            lago.stack(),
            "could not be asked what it holds (",
            "not currently accepting connections) and is left as it is",
            "were left at work",
        )
    finally:
        lago.docker(*postgres, "ALTER DATABASE lago WITH ALLOW_CONNECTIONS true")
    assert (lago.rows(), lago.ids(), lago.running()) == (before, ids, LONG_RUNNING)


def test_there_is_no_way_back(lago: Lifecycle) -> None:
    before = lago.ids()
    run = lago.stack(lago_version="v1.50.0")
    refused(run, "lago_version", "The database is of v1.51.0; v1.50.0 is older", "set lago_version back to v1.51.0")
    assert (run.recap["changed"], lago.ids()) == (0, before)
