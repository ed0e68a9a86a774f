# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's process: HTTP as Rails and Puma answer it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from aiohttp import web  # type: ignore[import-not-found, unused-ignore]

from standin import NOTICE, admin, cable, database, faults, graphql_api, pages, rest
from standin.failures import Exit, RubyError
from standin.http_types import Request, Response, failed, no_route
from standin.settings import APP, RELEASE, env, is_true, present

METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD"


def _health() -> Response:
    """200 wherever a connection can be made, however little there is in the database."""
    found = {"version": RELEASE.version, "github_url": RELEASE.url}
    try:
        with database.connected() as connection:
            connection.execute("SELECT 1")
    except RubyError as error:
        return Response(500, {**found, "message": "Unhealthy", "details": error.message})
    if "unhealthy" in faults.asked():
        return Response(500, {**found, "message": "Unhealthy", "details": "stand-in: asked to be"})
    return Response(200, {**found, "message": "Success"})


def answer(request: Request) -> Response:  # noqa: PLR0911 - a table of paths
    """:raises RubyError: what nobody caught."""
    path = request.path.rstrip("/") or "/"
    if path == "/graphql" and request.method == "POST":
        return graphql_api.answer(request)
    if path.startswith("/api/v1/"):
        return rest.answer(request)
    if path == "/admin/organizations" and request.method == "POST":
        return admin.answer(request)
    if request.method in ("GET", "HEAD"):
        if path == "/health":
            return _health()
        if path == "/ready":
            return Response(200, {"status": "ok"})
        if path == "/metrics":
            return pages.metrics(request)
        if (path == "/sidekiq" or path.startswith("/sidekiq/")) and is_true("LAGO_SIDEKIQ_WEB"):
            return pages.sidekiq_page()
    return no_route()


def _allowed(origin: str) -> bool:
    """Only the front's own host may ask from a browser; its port counts, its scheme does not."""
    if "LAGO_FRONT_URL" in os.environ:
        front = urlsplit(env("LAGO_FRONT_URL"))
        port = front.port or {"http": 80, "https": 443}.get(front.scheme)
        own = front.hostname if port in (80, 443) else f"{front.hostname}:{port}"
    else:
        own = env("LAGO_DOMAIN") or None
    return own is not None and origin.partition("://")[2] == own


def _cors(request: Request, preflight: bool) -> dict[str, str]:
    origin = request.headers.get("origin", "")
    if not origin or not _allowed(origin):
        return {}
    found = {"access-control-allow-origin": origin, "access-control-allow-methods": METHODS}
    found |= {"access-control-expose-headers": "x-lago-token", "access-control-max-age": "7200"}
    asked = request.headers.get("access-control-request-headers")
    return found | {"access-control-allow-headers": asked} if preflight and asked else found


def respond(request: Request) -> Response:
    """The answer to a request, whatever happens."""
    preflight = request.method == "OPTIONS" and "access-control-request-method" in request.headers
    try:
        response = Response(200, None, "") if preflight else answer(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a page
        text = "; ".join(error.lines()) if isinstance(error, RubyError) else repr(error)
        print(
            json.dumps({"level": "error", "method": request.method, "path": request.path, "error": text}),
            file=sys.stderr,
            flush=True,
        )
        response = failed(error)
    cors = _cors(request, preflight)
    return Response(response.status, response.body, response.kind, {**response.headers, **cors, "vary": "Origin"})


class Server:
    """Puma: a few threads, each with one request at a time."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=int(env("RAILS_MAX_THREADS") or 3))
        self._log = _log()

    async def handle(self, incoming: web.Request) -> web.StreamResponse:
        if incoming.path == "/cable" and incoming.headers.get("upgrade", "").lower() == "websocket":
            return await cable.connect(incoming)
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        raw = urlsplit(incoming.raw_path).path
        body, peer = await incoming.read(), (incoming.remote or "").removeprefix("::ffff:")
        request = Request(incoming.method, raw, dict(incoming.query), headers, body, peer)
        started = time.monotonic()
        response = await asyncio.get_running_loop().run_in_executor(self._threads, respond, request)
        line = {
            "method": request.method,
            "path": raw,
            "status": response.status,
            "duration": round((time.monotonic() - started) * 1000),
        }
        print(json.dumps(line), file=self._log, flush=True)
        out = {**response.headers, **({"Content-Type": response.kind} if response.kind else {})}
        return web.Response(status=response.status, body=response.payload(), headers=out)


async def _anonymous(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.popall("Server", None)


def _log() -> TextIO:
    """Standard output when RAILS_LOG_TO_STDOUT is exactly `true`, otherwise the file, otherwise standard error."""
    if is_true("RAILS_LOG_TO_STDOUT"):
        return sys.stdout
    path = APP / "log" / f"{env('RAILS_ENV', 'production')}.log"
    try:
        path.parent.mkdir(exist_ok=True)
        return path.open("a")
    except OSError:
        print(
            f"Rails Error: Unable to access log file. Please ensure that {path} exists and is writable.",
            file=sys.stderr,
        )
        return sys.stderr


def _claim_pid_file() -> Path:
    path = Path(env("PIDFILE") or APP / "tmp" / "pids" / "server.pid")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _refuse_second(path)
        path.write_text(str(os.getpid()))
    except OSError as error:
        name = {1: "EPERM", 13: "EACCES", 30: "EROFS"}.get(error.errno or 0, "EIO")
        raise RubyError(f"Errno::{name}", f"{error.strerror} @ rb_sysopen - {path}") from error
    return path


def _refuse_second(path: Path) -> None:
    text = path.read_text().strip()
    if text.isdigit() and int(text) != os.getpid() and Path(f"/proc/{text}").exists():
        raise Exit(f"=> Booting Puma\nA server is already running (pid: {text}, file: {path}).\nExiting")


def _listen(address: str, port: int) -> socket.socket:
    """`::` serves both families, also where there is no IPv6."""
    try:
        if ":" not in address:
            return socket.create_server((address, port), reuse_port=False)
        if address == "::" and socket.has_dualstack_ipv6():
            return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server((address if address != "::" else "0.0.0.0", port))
    except OSError as error:
        raise RubyError(
            "Errno::EADDRINUSE", f'Address already in use - bind(2) for "{address}" port {port}: {error}'
        ) from error


def serve(arguments: list[str]) -> int:
    """`rails s -b ADDRESS -p PORT`: until TERM, and then until what was asked is answered."""
    parser = argparse.ArgumentParser(prog="rails server")
    parser.add_argument("-b", "--binding", default="0.0.0.0")
    parser.add_argument("-p", "--port", type=int, default=int(env("PORT") or 3000) if present("PORT") else 3000)
    given = parser.parse_args(arguments)
    print(f"=> Booting Puma\n{NOTICE}\n=> Lago {RELEASE.version}", flush=True)
    pid_file = _claim_pid_file()
    listener = _listen(given.binding, given.port)
    app = web.Application(client_max_size=64 * 2**20)
    app.on_response_prepare.append(_anonymous)
    app.router.add_route("*", "/{path:.*}", Server().handle)
    shown = f"[{given.binding}]" if ":" in given.binding else given.binding
    print(f"* Listening on http://{shown}:{given.port}", flush=True)
    try:
        web.run_app(app, sock=listener, print=None, access_log=None, shutdown_timeout=30)
    finally:
        pid_file.unlink(missing_ok=True)
    return 0
