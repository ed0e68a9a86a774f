# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to PostgreSQL, and their failures as Active Record reports them."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import dict_row
from psycopg.sql import Literal

from standin import uri
from standin.failures import RubyError
from standin.settings import env, from_yaml

# What Active Record drops of a URL's query: libpq knows nothing of it.
_NOT_LIBPQ = {"search_path", "schema_search_path", "pool", "prepared_statements", "encoding", "reaping_frequency"}
_VARIABLES = {
    "statement_timeout": "LAGO_DATABASE_STATEMENT_TIMEOUT",
    "idle_in_transaction_session_timeout": "LAGO_DATABASE_IDLE_TX_TIMEOUT",
    "lock_timeout": "LAGO_DATABASE_LOCK_TIMEOUT",
}
_POOL_SECONDS = 5
_connections = threading.BoundedSemaphore(max(1, int(from_yaml("DATABASE_POOL", 10))))
_held = threading.local()
_PREPARED = from_yaml("DATABASE_PREPARED_STATEMENTS", True) is not False


class _Cursor(Cursor):
    """A statement with values is prepared under a name at its first use, unless that is switched off."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        return super().execute(query, params, **{**more, "prepare": bool(params) and _PREPARED})


def parameters() -> dict[str, Any]:
    """What libpq is given, from DATABASE_URL: without one, the local socket and the user's own database."""
    if not os.environ.get("DATABASE_URL"):
        return {"host": "/var/run/postgresql"}
    url = uri.parse(env("DATABASE_URL"))
    if url.scheme not in ("postgres", "postgresql"):
        raise RubyError(
            "ActiveRecord::AdapterNotFound", f"Database configuration specifies nonexistent '{url.scheme}' adapter."
        )
    found = {"host": url.host, "port": url.port, "user": url.user, "password": url.password, "dbname": url.path}
    found |= {name: value for name, value in url.query.items() if name not in _NOT_LIBPQ}
    return {name: value for name, value in found.items() if value}


def _refusal(error: psycopg.OperationalError, given: dict[str, Any]) -> RubyError:
    """Active Record guesses from the server's words what is wrong, and guesses wrong when names coincide."""
    said = re.sub(r"^connection failed: ", "", str(error)).strip()
    said = re.sub(r"^connection is bad: ", "", said).split("\nMultiple connection attempts")[0]
    if unresolved := re.search(r"\[Errno -\d+\] (.+)", said):  # resolved by psycopg itself, not by libpq
        said = f'could not translate host name "{given.get("host")}" to address: {unresolved[1]}'
    cause = RubyError("PG::ConnectionBad", said)
    name, user, host = (str(given.get(key) or "") for key in ("dbname", "user", "host"))
    if name and name != "postgres" and name in said:
        text = (
            f"We could not find your database: {name}. "
            "Available database configurations can be found in config/database.yml.\n\n"
            "To resolve this error:\n\n"
            "- Did you not create the database, or did you delete it? To create the database, run:\n\n"
            "    bin/rails db:create\n\n"
            "- Has the database name changed? Verify that config/database.yml contains the correct database name.\n"
        )
        return RubyError("ActiveRecord::NoDatabaseError", text, cause)
    if name != "postgres" and user and user in said:
        text = (
            f"There is an issue connecting to your database with your username/password, username: {user}.\n\n"
            "Please check your database configuration to ensure the username/password are valid.\n"
        )
        return RubyError("ActiveRecord::DatabaseConnectionError", text, cause)
    if name != "postgres" and host and host in said and not host.startswith("/"):
        text = (
            f"There is an issue connecting with your hostname: {host}.\n\n"
            "Please check your database configuration and ensure there is a valid connection to your database.\n"
        )
        return RubyError("ActiveRecord::DatabaseConnectionError", text, cause)
    return RubyError("ActiveRecord::ConnectionNotEstablished", said, cause)


def _connect(**overrides: Any) -> Connection:
    given = parameters() | overrides
    try:
        return psycopg.connect(**given, row_factory=dict_row, cursor_factory=_Cursor, autocommit=True)
    except psycopg.OperationalError as error:
        raise _refusal(error, given) from error
    except psycopg.ProgrammingError as error:
        raise RubyError("PG::ConnectionBad", str(error)) from error


def _configure(connection: Connection) -> None:
    """What every session begins with."""
    settings = ["SET SESSION timezone TO 'UTC'"]
    for name, variable in _VARIABLES.items():
        value = from_yaml(variable, ":default")
        if value is not None:
            said = "DEFAULT" if value == ":default" else Literal(str(value)).as_string(connection)
            settings.append(f"SET SESSION {name} TO {said}")
    connection.execute("; ".join(settings))
    if os.environ.get("POSTGRES_SCHEMA"):
        connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", [env("POSTGRES_SCHEMA")])


@contextmanager
def _turn() -> Iterator[None]:
    """One of the process's connections. A thread that has one needs no other."""
    depth = getattr(_held, "depth", 0)
    started = time.monotonic()
    if not depth and not _connections.acquire(timeout=_POOL_SECONDS):
        text = f"could not obtain a connection from the pool within {_POOL_SECONDS:.3f} seconds"
        waited = f"(waited {time.monotonic() - started:.3f} seconds)"
        raise RubyError("ActiveRecord::ConnectionTimeoutError", f"{text} {waited}; all pooled connections were in use")
    _held.depth = depth + 1
    try:
        yield
    finally:
        _held.depth = depth
        if not depth:
            _connections.release()


@contextmanager
def connected(**overrides: Any) -> Iterator[Connection]:
    """A connection of one's own, each statement by itself; what the server refuses becomes a `RubyError`."""
    with _turn():
        connection = _connect(**overrides)
        try:
            _configure(connection)
            yield connection
        except psycopg.Error as error:
            raise statement_invalid(error) from error
        finally:
            connection.close()


@contextmanager
def transaction() -> Iterator[Connection]:
    """A connection whose statements are kept all together or not at all."""
    with connected() as connection, connection.transaction():
        yield connection


def statement_invalid(error: psycopg.Error) -> RubyError:
    """An error of the server, as Active Record wraps it."""
    diagnosis = error.diag
    name = re.sub(r"(?:^|_)(\w)", lambda match: match[1].upper(), type(error).__name__)
    lines = [f"PG::{name}: {diagnosis.severity or 'ERROR'}:  {diagnosis.message_primary or error}"]
    for label in ("detail", "hint", "context"):
        if text := getattr(diagnosis, f"message_{label}" if label != "context" else label, None):
            lines.append(f"{label.upper()}:  {text}")
    text = "\n".join(lines)
    return RubyError("ActiveRecord::StatementInvalid", text, RubyError(f"PG::{name}", text.split(": ", 1)[1]))


def one(connection: Connection, statement: str, *values: Any) -> dict[str, Any] | None:
    """The first row, if there is one."""
    return connection.execute(statement, values).fetchone()


def rows(connection: Connection, statement: str, *values: Any) -> list[dict[str, Any]]:
    return connection.execute(statement, values).fetchall()


def insert(connection: Connection, table: str, **values: Any) -> dict[str, Any]:
    """Adds a row with its two times, and returns it whole."""
    columns = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(["%s"] * len(values))
    statement = (
        f"INSERT INTO public.{table} ({columns}, created_at, updated_at) "
        f"VALUES ({marks}, timezone('UTC', now()), timezone('UTC', now())) RETURNING *"
    )
    row = one(connection, statement, *values.values())
    assert row is not None
    return row
