# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages that the real API shows to everyone who reaches it."""

from __future__ import annotations

from standin import NOTICE
from standin.http_types import Request, Response

TEXT = "text/plain"


def metrics(request: Request) -> Response:
    """Open to everyone who accepts plain text."""
    if TEXT not in request.headers.get("accept", ""):
        return Response(406, f"Supported media types: {TEXT}", TEXT)
    return Response(200, "# TYPE puma_running gauge\npuma_running 1\n", f"{TEXT}; version=0.0.4; charset=utf-8")


def sidekiq_page() -> Response:
    """Open to everyone, when LAGO_SIDEKIQ_WEB is exactly `true`."""
    head = '<head><title>Sidekiq</title><meta charset="utf-8"></head>'
    return Response(
        200, f"<!doctype html>\n<html>{head}<body><h1>Sidekiq</h1><p>{NOTICE}</p></body></html>\n", "text/html"
    )
