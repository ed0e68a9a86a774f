# SPDX-License-Identifier: GPL-3.0-or-later
"""What the worker does for each kind of job. Most have nothing to do in a stand-in: taking them is what is tested."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from standin import boot, required_jobs
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
        env("LAGO_SMTP_ADDRESS"), int(env("LAGO_SMTP_PORT") or 25), env("LAGO_SMTP_DOMAIN") or None, 30
    ) as server:
        if server.has_extn("starttls"):
            server.starttls()
        server.login(env("LAGO_SMTP_USERNAME"), env("LAGO_SMTP_PASSWORD"))
        server.send_message(message)


def _sleep(arguments: dict[str, Any]) -> None:
    """For tests of a worker that is stopped while it works: `{"seconds": 20}`."""
    time.sleep(float(arguments["seconds"]))


HANDLERS: dict[str, Callable[[dict[str, Any]], None]] = {
    **required_jobs.HANDLERS,
    "PasswordResetMailer": _reset_mail,
    "StandIn::SleepJob": _sleep,
}


def perform(record: dict[str, Any]) -> None:
    """:raises Exception: when the job fails."""
    job = record.get("wrapped") or record.get("class")
    handler = HANDLERS.get(str(job))
    if handler is not None:
        inner = record["args"][0]
        arguments = inner["arguments"][0] if "arguments" in inner else inner
        handler(arguments)
