# SPDX-License-Identifier: GPL-3.0-or-later
"""What the worker does for each kind of job. Most have nothing to do in a stand-in: taking them is what is tested."""

from __future__ import annotations

import base64
import smtplib
import ssl
import time
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from standin import boot, database, required_jobs, sidekiq, webhooks
from standin.settings import env


def _reset_mail(arguments: dict[str, Any]) -> None:
    """AUTH is asked for even without a user name, and then every mail fails, as in the real one."""
    if not env("LAGO_SMTP_ADDRESS"):
        return
    if boot.smtp_without_user():
        raise ValueError("SMTP-AUTH requested but missing user name (ArgumentError)")
    message = EmailMessage()
    message["From"] = env("LAGO_FROM_EMAIL")
    message["To"] = arguments["to"]
    message["Subject"] = "[Lago] Reset your password"
    message.set_content(f"{env('LAGO_FRONT_URL')}/reset-password/{arguments['token']}\n")
    with smtplib.SMTP(
        env("LAGO_SMTP_ADDRESS"), int(env("LAGO_SMTP_PORT") or 25), env("LAGO_SMTP_DOMAIN") or "localhost", 30
    ) as server:
        server.ehlo_or_helo_if_needed()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        _log_in(server, env("LAGO_SMTP_USERNAME"), env("LAGO_SMTP_PASSWORD"))
        server.send_message(message)


def _log_in(server: smtplib.SMTP, *credentials: str) -> None:
    """By the method LOGIN, whatever the server offers."""
    server.ehlo_or_helo_if_needed()
    code, said = server.docmd("AUTH", "LOGIN")
    for part in credentials:
        if code == 334:
            code, said = server.docmd(base64.b64encode(part.encode()).decode())
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, said)


def _sleep(arguments: dict[str, Any]) -> None:
    """For tests of a worker that is stopped while it works: `{"seconds": 20}`."""
    time.sleep(float(arguments["seconds"]))


def _query(arguments: dict[str, Any]) -> None:
    """For tests of the worker's session with the database: `{"statement": "SHOW lock_timeout"}`."""
    with database.connected() as connection:
        row = database.one(connection, arguments["statement"])
    print(f"INFO: {arguments['statement']}: {list(row.values()) if row else None}", flush=True)


def _one_of_each(_arguments: dict[str, Any]) -> None:
    """For tests of dedicated workers: a job for each of their queues, as the flags of this process say."""
    for name in sidekiq.DEDICATED:
        sidekiq.enqueue(f"StandIn::{name}", sidekiq.queue_for(name))


HANDLERS: dict[str, Callable[[dict[str, Any]], None]] = {
    **required_jobs.HANDLERS,
    "PasswordResetMailer": _reset_mail,
    "SendHttpWebhookJob": webhooks.send,
    "SendWebhookJob": webhooks.create,
    "StandIn::OneOfEachJob": _one_of_each,
    "StandIn::QueryJob": _query,
    "StandIn::SleepJob": _sleep,
}


def perform(record: dict[str, Any]) -> None:
    """:raises Exception: when the job fails."""
    job = record.get("wrapped") or record.get("class")
    handler = HANDLERS.get(str(job))
    if handler is not None:
        inner = record["args"][0]
        arguments = inner.get("arguments", [inner])
        handler(arguments[0] if arguments else {})
