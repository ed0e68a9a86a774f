# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serves what the real Lago answered.

A request is matched to a recorded one by what Lago itself goes by: method, path, operation, input, organization and
kind of
credential. Of several that match, the last one is used before which nothing was changed that is not changed yet: what
was
recorded after the rotation of a key is answered after the rotation. What is not in a recording is answered 418, which
no
client takes for Lago.
"""

from __future__ import annotations

import http.server
import json
import threading
import typing as t
from pathlib import Path

RECORDED = Path(__file__).with_name("recorded")
RELEASES = ["v1.42.0", "v1.44.0", "v1.45.2", "v1.50.0", "v1.51.0", "main-2026-08-21"]

Step = dict[str, t.Any]


def steps(group: str, release: str = "v1.51.0") -> list[Step]:
    """Return the recorded steps of a group (or state) on a release."""
    place = RECORDED if release == "v1.51.0" else RECORDED / release
    found: list[Step] = json.loads((place / f"{group}.json").read_text())["steps"]
    return found


def step(name: str, group: str, release: str = "v1.51.0") -> Step:
    """Return one step by its name."""
    return next(one for one in steps(group, release) if one["name"] == name)


def body_of(answer: Step) -> bytes:
    """Return a recorded body as it was on the wire."""
    body = answer["body"]
    if body is None:
        return b""
    return body["__text__"].encode() if isinstance(body, dict) and "__text__" in body else json.dumps(body).encode()


def _credential(headers: dict[str, str]) -> str:
    value = headers.get("Authorization", "")
    return "session" if value.startswith("Bearer ey") else value


def _key(method: str, path: str, headers: dict[str, str], body: t.Any) -> tuple[str, ...]:
    if path != "/graphql" or method != "POST":
        return (method, path.partition("?")[0], _credential(headers), headers.get("Origin", ""))
    operation = str(body.get("operationName"))
    given = body.get("variables") or {}
    wanted = given.get("input", given)
    if operation == "apiKeys":
        wanted = {}
    if operation == "rotateApiKey":  # under which name does not matter
        wanted = {name: value for name, value in wanted.items() if name != "name"}
    if operation == "registerUser" and wanted.get("password") == "":
        wanted = {"password": ""}
    return (operation, _credential(headers), headers.get("x-lago-organization", ""), json.dumps(wanted, sort_keys=True))


CHANGES = ("register", "rotate")


class Replay(http.server.ThreadingHTTPServer):
    """A server of one recording on the loopback; C(seen) has the names of the steps that were used."""

    daemon_threads = True

    def __init__(self, recorded: list[Step]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.seen: list[str] = []
        self._matches: dict[tuple[str, ...], list[tuple[set[str], Step]]] = {}
        self._queries: dict[str, str] = {}
        self._register = next((one for one in recorded if one["name"] == "register"), None)
        before: set[str] = set()
        for one in recorded:
            request = one["request"]
            body = request["body"] if isinstance(request["body"], dict) else {}
            if "__raw__" in body:
                continue
            headers = request["headers"] or {}
            key = _key(request["method"], request["path"], headers, body)
            self._matches.setdefault(key, []).append((set(before), one))
            before |= {one["name"]} & set(CHANGES)
            self._queries.setdefault(str(body.get("operationName")), str(body.get("query")))
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()
        self.server_close()

    def answer(self, method: str, path: str, headers: dict[str, str], body: t.Any) -> Step:
        """Return the recorded answer to a request."""
        operation = str(body.get("operationName"))
        if operation == "integrations":  # not recorded: a Lago without any
            return {"status": 200, "headers": {}, "body": {"data": {"integrations": {"collection": []}}}}
        if "slug" in str(body.get("query")) and "slug" not in self._queries.get(operation, "slug"):
            # a release without slugs: its recording does not ask for one, because the query would fail as a whole
            return step("unknown field", "bootstrap")["response"] | {"headers": {}}
        matches = self._matches.get(_key(method, path, headers, body), [])
        now = [one for before, one in matches if before <= set(self.seen)] or [one for _before, one in matches[:1]]
        if now:
            self.seen.append(now[-1]["name"])
            return _with_types(now[-1]["response"]) if operation == "paymentProviders" else dict(now[-1]["response"])
        if operation == "registerUser" and body["variables"]["input"]["password"] == "" and self._register:
            # asked in the states with a good password only: a refusal is the same for a blank one, success is not
            made = self._register["response"]
            refused = made["status"] != 200 or "errors" in made["body"]
            return dict(made if refused else step("register, blank password", "bootstrap")["response"])
        return {"status": 418, "headers": {}, "body": {"__text__": f"not recorded: {method} {path} {operation}"}}


def _with_types(answer: Step) -> Step:
    """Add the kind of each row, for which the recorded query did not ask: it asked for one kind only."""
    if answer["status"] != 200:
        return dict(answer)
    copy: Step = json.loads(json.dumps(answer))
    for row in copy["body"]["data"]["paymentProviders"]["collection"]:
        row["__typename"] = "AdyenProvider"
    return copy


class _Handler(http.server.BaseHTTPRequestHandler):
    def do(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw else {}
        server = t.cast(Replay, self.server)
        answer = server.answer(self.command, self.path, dict(self.headers), body)
        self.send_response(answer["status"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body_of(answer))

    do_GET = do_POST = do_OPTIONS = do

    def log_message(self, format: str, *args: t.Any) -> None:
        pass
