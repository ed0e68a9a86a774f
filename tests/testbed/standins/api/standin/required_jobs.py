# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release wants done before it is left: tasks that enqueue jobs and wait until nothing is left to do.

As in the real ones, nothing is done where no worker takes the jobs, and then a task waits for ever.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from standin import database, faults, sidekiq
from standin.settings import RELEASE

_QUEUE = "low_priority"
_RULE = "##################################"
_READY = "#### All good, ready to Upgrade! ✅ ####"
#: Of v1.42.0: what is to be filled, by table, and by which job.
_CODES = {
    "charges": ("Charge", "DatabaseMigrations::BackfillChargesCodeJob"),
    "fixed_charges": ("FixedCharge", "DatabaseMigrations::BackfillFixedChargesCodeJob"),
}
_EVENTS_JOB = "DatabaseMigrations::BackfillLastReceivedEventOnJob"
_SILENT = "SELECT count(*) AS left FROM subscriptions WHERE status = 'active' AND last_received_event_on IS NULL"


def _count(statement: str) -> int:
    with database.connected() as connection:
        row = database.one(connection, statement)
    return int(row["left"]) if row else 0


def _wait(names: dict[str, Callable[[], int]]) -> None:
    """Look every five seconds, until there is nothing left of any."""
    print("#### Checking status ####", flush=True)
    waiting = dict(names)
    while waiting:
        time.sleep(5)
        for name, left in list(waiting.items()):
            count = left()
            print(f'"- Checking {name}: 🔎"\n"  -> {f"{count} remaining 🧮" if count else "Done ✅"}"', flush=True)
            if not count:
                del waiting[name]


def _codes() -> None:
    print("#### Checking for resource to fill ####")
    todo: dict[str, Callable[[], int]] = {}
    for table, (name, _job) in _CODES.items():
        statement = f"SELECT count(*) AS left FROM {table} WHERE code IS NULL"
        count = _count(statement)
        print(f'"- Checking {name}: 🔎"\n"  -> {f"{count} records to fill 🧮" if count else "Nothing to do ✅"}"')
        if count:
            todo[name] = partial(_count, statement)
    if todo:
        print(f"#### Enqueue jobs in the {_QUEUE} queue ####")
        for name, job in _CODES.values():
            if name in todo:
                print(f'"- Enqueuing {job}"')
                sidekiq.enqueue(job, _QUEUE, {})
        _wait(todo)


def _last_events() -> None:
    print('#### Checking for resource to fill ####\n"- Checking Subscription#last_received_event_on: 🔎"')
    count = _count(_SILENT)
    print(f'"  -> {"1 organizations to process 🧮" if count else "Nothing to do ✅"}"')
    if count:
        print(f'#### Enqueue BackfillLastReceivedEventOnJob per organization ####\n"- Enqueuing {_EVENTS_JOB}"')
        mark = f"standin:{uuid.uuid4()}"
        connection = sidekiq.client()
        connection.set(mark, 1)
        sidekiq.enqueue(_EVENTS_JOB, _QUEUE, {"mark": mark})
        _wait({"BackfillLastReceivedEventOnJob": lambda: int(connection.exists(mark))})


def perform() -> None:
    """`upgrade:perform_required_jobs`."""
    print(f"{_RULE}\nStarting required jobs")
    faults.hang("jobs_hang")
    if RELEASE.version == "v1.42.0":
        _codes()
    else:
        _last_events()
    print(_READY)


def wallet_traceability() -> None:
    """`migrations:wallet_traceability`: only looks, unless DRY_RUN is exactly false."""
    dry = os.environ.get("DRY_RUN", "true") != "false"
    faults.hang("jobs_hang")
    count = _count("SELECT count(*) AS left FROM wallets WHERE NOT traceable")
    print(f"Wallet migration — mode: {'DRY-RUN (validation only)' if dry else 'EXECUTE'}")
    print(f"Total wallets: {count}\nMigratable: {count}\nProblematic: 0")
    if not dry:
        with database.transaction() as connection:
            connection.execute("UPDATE wallets SET traceable = true WHERE NOT traceable")


def payment_methods() -> None:
    """`migrations:backfill_PROVIDER_payment_methods`: the stand-in's customers have none."""
    faults.hang("jobs_hang")
    print(
        f'{_RULE}\nStarting payment methods backfill\n#### Checking for resources to fill ####\n"  -> Nothing to do ✅"'
    )
    print("#### All good! ✅ ####")


def _fill_codes(table: str) -> Callable[[dict[str, Any]], None]:
    def fill(_arguments: dict[str, Any]) -> None:
        with database.transaction() as connection:
            connection.execute(f"UPDATE {table} SET code = left(id::text, 8) WHERE code IS NULL")

    return fill


def _fill_last_events(arguments: dict[str, Any]) -> None:
    with database.transaction() as connection:
        connection.execute(
            "UPDATE subscriptions s SET last_received_event_on = (SELECT max(e.timestamp)::date FROM events e "
            "WHERE e.external_subscription_id = s.external_id AND e.organization_id = s.organization_id) "
            "WHERE last_received_event_on IS NULL"
        )
    sidekiq.client().delete(arguments["mark"])


TASKS: dict[str, Callable[[], None]] = {
    "upgrade:perform_required_jobs": perform,
    "migrations:wallet_traceability": wallet_traceability,
    **{
        f"migrations:backfill_{provider}_payment_methods": payment_methods
        for provider in ("stripe", "adyen", "gocardless", "moneyhash")
    },
}
HANDLERS: dict[str, Callable[[dict[str, Any]], None]] = {
    **{job: _fill_codes(table) for table, (_name, job) in _CODES.items()},
    _EVENTS_JOB: _fill_last_events,
}
