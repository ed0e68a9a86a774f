# SPDX-License-Identifier: GPL-3.0-or-later
"""Rails' and Lago's tasks."""

from __future__ import annotations

import platform
from collections.abc import Callable
from urllib.parse import urlsplit

import psycopg
import redis

from standin import NOTICE, database, migrations, required_jobs, seed, sidekiq
from standin.failures import RubyError
from standin.settings import RELEASE, env, present

ROLES = (("admin", "Admin", True), ("finance", "Finance", False), ("manager", "Manager", False))


def create_database() -> None:
    """`db:create`: asks for it without looking, so a role that may not create databases always fails."""
    name = str(database.parameters().get("dbname", ""))
    with database.connected(dbname="postgres") as connection:
        try:
            connection.execute(f"CREATE DATABASE \"{name}\" ENCODING = 'unicode'")
        except psycopg.errors.DuplicateDatabase:
            raise _Noted(f"Database '{name}' already exists") from None
        except psycopg.Error as error:
            refused = database.statement_invalid(error)
            notice = f"{refused.message}\nCouldn't create '{name}' database. Please check your configuration."
            raise _Noted(notice, refused) from error
    print(f"Created database '{name}'")


class _Noted(Exception):
    """Said on standard error; fatal only when an error comes with it."""

    def __init__(self, text: str, error: RubyError | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.error = error


def seed_roles() -> None:
    """`roles:seed_predefined`."""
    with database.transaction() as connection:
        for code, name, admin in ROLES:
            if not database.one(
                connection, "SELECT 1 AS yes FROM roles WHERE code = %s AND organization_id IS NULL", code
            ):
                database.insert(connection, "roles", code=code, name=name, admin=admin)


def version() -> None:
    """`lago:version`: broken in the real releases too."""
    text = "undefined method 'migration_context' for an instance of ActiveRecord::ConnectionAdapters::PostgreSQLAdapter"
    raise RubyError(
        "NoMethodError", f"{text}\n      schema_version: ApplicationRecord.connection.migration_context.current_version"
    )


def verify_upgrade() -> None:
    """`upgrade:verify`: broken in the real releases too."""
    raise RubyError("ArgumentError", f"Malformed version number string {RELEASE.version}")


def _masked(name: str) -> str:
    """Where a URL leads, without whoever is let in."""
    if not present(name):
        return "(not set)"
    parts = urlsplit(env(name))
    return f"{parts.scheme}://{'***@' if '@' in parts.netloc else ''}{parts.netloc.rpartition('@')[2]}{parts.path}"


def _answer(question: Callable[[], str]) -> str:
    try:
        return question()
    except RubyError as error:
        return f"error ({error.kind})"
    except redis.RedisError as error:
        return f"error ({type(error).__name__})"


def _database_state() -> str:
    with database.connected() as connection:
        server = database.one(connection, "SHOW server_version")
        count = len(migrations.applied(connection)) if migrations.table_exists(connection, "schema_migrations") else 0
    return (
        f"connected, PostgreSQL {server and server['server_version']}, {count} of {len(migrations.known())} migrations"
    )


def _redis_state() -> str:
    server = sidekiq.client(patient=False).info("server")
    return f"connected, Redis {server['redis_version']}"


def diagnostics() -> None:
    """`lago:diagnostics`: a report that shows no secret, not even inside a URL."""
    sections = {
        "Version": f"{RELEASE.version} ({NOTICE})",
        "Build": f"{platform.machine()}, {platform.system()}",
        "Environment": f"RAILS_ENV={env('RAILS_ENV', 'production')}",
        "Configuration": f"LAGO_API_URL={_masked('LAGO_API_URL')}\n  LAGO_FRONT_URL={_masked('LAGO_FRONT_URL')}",
        "Database": f"{_masked('DATABASE_URL')}\n  {_answer(_database_state)}",
        "Redis": f"{_masked('REDIS_URL')}\n  {_answer(_redis_state)}\n  cache: {_masked('LAGO_REDIS_CACHE_URL')}",
        "ClickHouse": "enabled" if present("LAGO_CLICKHOUSE_ENABLED") else "disabled",
        "Kafka": "(not set)",
        "SMTP": env("LAGO_SMTP_ADDRESS") or "(not set)",
        "Recent errors": "none",
    }
    for title, text in sections.items():
        print(f"== {title}\n  {text}")


TASKS: dict[str, Callable[[], None]] = {
    **required_jobs.TASKS,
    "db:create": create_database,
    "db:migrate": migrations.migrate,
    "db:migrate:status": migrations.status,
    "lago:diagnostics": diagnostics,
    "lago:version": version,
    "roles:seed_predefined": seed_roles,
    "signup:seed_organization": seed.seed_organization,
    "upgrade:verify": verify_upgrade,
}
NEEDED_BY = {"upgrade:verify": "upgrade:verify => upgrade:check_migrations"}
Noted = _Noted
