# SPDX-License-Identifier: GPL-3.0-or-later
"""A first migration that was broken is mended without a person; each verb and each role works alone."""

from __future__ import annotations

from outside.lifecycle import EMAIL, LONG_RUNNING, ORGANIZATION, Lifecycle, done

WHOLE = "SELECT count(*) FROM schema_migrations"
THIRD = "SELECT count(*) > 0 FROM information_schema.columns WHERE column_name = 'document_number_prefix'"


def test_what_a_killed_load_of_the_structure_left_is_made_anew(lago: Lifecycle) -> None:
    """Tables and types without a table of versions: Lago itself would load the same file again, or fail for ever."""
    done(lago.stack("secrets", "render", "pull"))
    lago.compose("up", "-d", "--wait", "db")
    lago.sql(
        "CREATE TYPE customer_type AS ENUM ('company'); CREATE TABLE users (id uuid); CREATE TABLE events (id uuid)"
    )
    done(lago.stack("migrate"))
    assert int(lago.sql(WHOLE)) > 20
    assert lago.sql("SELECT count(*) FROM partman.part_config") == "1", (
        "a loaded structure leaves pg_partman unconfigured"
    )
    assert lago.running() == {"db", "redis", "redis-cache"}, "nothing else is started by the verb migrate"


def test_a_migration_without_a_transaction_that_was_killed_is_made_anew(lago: Lifecycle) -> None:
    """Its column is there, its version is not; and somebody is looking at the database meanwhile."""
    versions = lago.sql(WHOLE)
    psql = ("exec", "lago-db-1", "psql", "-U", "lago", "-d")
    lago.docker(*psql, "postgres", "-c", "DROP DATABASE lago WITH (FORCE)")
    lago.docker(*psql, "postgres", "-c", "CREATE DATABASE lago")
    lago.sql("CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY)")
    lago.compose("--profile", "migrate", "run", "-d", "--no-deps", "--name", "lago-migrate", "migrate")
    # On the server: from outside it would often come too late.
    asked = f'docker exec lago-db-1 psql -U lago -d lago -Atc "{THIRD}"'
    lago.shell("sh", "-c", f"until {asked} | grep -qx t; do :; done; docker kill lago-migrate")
    assert lago.sql(WHOLE) == "2"
    lago.docker("exec", "-d", "lago-db-1", "psql", "-U", "lago", "-d", "lago", "-c", "SELECT pg_sleep(600)")
    # The killed one was not run with --rm: its name is still taken.
    done(lago.stack("migrate"))
    assert lago.sql(WHOLE) == versions
    assert lago.sql("SELECT count(*) FROM partman.part_config") == "1"
    assert "lago-migrate" not in lago.docker("ps", "-a", "--format", "{{.Names}}")


def test_the_rest_goes_on_from_there(lago: Lifecycle) -> None:
    versions = lago.sql(WHOLE)
    done(lago.stack())
    assert lago.running() == LONG_RUNNING
    assert lago.sql(WHOLE) == versions
    done(lago.bootstrap())
    assert lago.sql("SELECT email FROM users") == EMAIL
    assert lago.sql("SELECT name FROM organizations") == ORGANIZATION
    done(lago.stack("verify"))
