# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does with Lago in a browser, and what the browser says meanwhile.

Nothing here is of one front alone but `Front`, which says where its fields are and what it does by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, WebSocket

ARTIFACTS = Path(__file__).resolve().parents[2] / ".cache" / "browser"
OPEN_CABLE = """([url, token]) => new Promise((welcomed, failed) => {
  const cable = new WebSocket(`${url}?token=${token}`, ["actioncable-v1-json"]);
  cable.onmessage = (event) => { if (JSON.parse(event.data).type === "welcome") welcomed(); };
  cable.onerror = () => failed(new Error(`${url} cannot be opened`));
})"""


@dataclass(frozen=True)
class Front:
    """The front that is deployed.

    :param opens_cable: Whether it opens the websocket as soon as somebody is signed in.
    :param elsewhere: Hosts of others that it asks for what it can do without; they answer nothing.
    """

    email: str = "input[name=email]"
    password: str = "input[name=password]"
    opens_cable: bool = True
    elsewhere: tuple[str, ...] = ()


STAND_IN = Front()
REAL = Front(opens_cable=False, elsewhere=("fonts.googleapis.com", "fonts.gstatic.com"))
"""The real front v1.51.0, which opens the websocket for its assistant only."""


@dataclass
class Seen:
    """What the browser said of a visit."""

    console: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    cables: list[str] = field(default_factory=list)
    welcomed: list[str] = field(default_factory=list)
    token: str = ""

    @property
    def plain(self) -> list[str]:
        """What was asked for without TLS."""
        return [url for url in [*self.asked, *self.cables] if urlsplit(url).scheme in ("http", "ws")]


class Person:
    """Somebody at a page of their own. :param url: The front's origin. :param api_url: The API's."""

    def __init__(self, page: Page, url: str, api_url: str, front: Front = STAND_IN) -> None:
        self.page, self.url, self.api_url, self.front = page, url, api_url, front
        self.seen = Seen()
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self.seen.console.append(f"uncaught: {error}"))
        page.on("request", lambda request: self.seen.asked.append(request.url))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.on("websocket", self._opened)

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.seen.console.append(f"{kind}: {text}")

    def _failed(self, request: Request) -> None:
        self.seen.failed.append(f"{request.url}: {request.failure}")

    def _answered(self, response: Any) -> None:
        if response.status >= 400:
            self.seen.failed.append(f"{response.url}: {response.status}")

    def _opened(self, socket: WebSocket) -> None:
        self.seen.cables.append(socket.url)

        def received(frame: str | bytes) -> None:
            if json.loads(frame).get("type") == "welcome":
                self.seen.welcomed.append(socket.url)

        socket.on("framereceived", received)

    def signs_in(self, email: str, password: str, organization: str) -> None:
        """From the first page to that of the organization, by the form."""
        self.page.goto(self.url)
        self.page.fill(self.front.email, email)
        self.page.fill(self.front.password, password)
        with self.page.expect_response(lambda answer: _logs_in(answer.request)) as answered:
            self.page.press(self.front.password, "Enter")
        assert answered.value.ok, f"the API answers {answered.value.status} to a login"
        self.seen.token = answered.value.json()["data"]["loginUser"]["token"]
        self.page.wait_for_url(re.compile(rf"^{re.escape(self.url)}/(?!login)[^/]+/."))
        self.page.get_by_text(organization).first.wait_for()

    def listens(self) -> None:
        """Until the websocket's first word has come."""
        if not self.front.opens_cable:
            cable = re.sub("^http", "ws", self.api_url) + "/cable"
            self.page.evaluate(OPEN_CABLE, [cable, self.seen.token])
        for _ in range(100):
            if self.seen.welcomed:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"no word came over a websocket; opened were {self.seen.cables}")

    def setting(self, name: str) -> str:
        """What the front was told by /env-config.js."""
        return str(self.page.evaluate(f"window.{name}"))

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def shoots(self, name: str) -> None:
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png")


def _logs_in(request: Request) -> bool:
    return request.method == "POST" and "loginUser" in (request.post_data or "")


@contextmanager
def person(browser: Browser, url: str, api_url: str, name: str, front: Front = STAND_IN) -> Iterator[Person]:
    """Somebody new, of whom the last that is seen is kept as a picture of this name."""
    context = browser.new_context(viewport={"width": 900, "height": 600})
    context.set_default_timeout(10000)
    for host in front.elsewhere:
        context.route(f"https://{host}/**", lambda route: route.fulfill(status=200, body=""))
    made = Person(context.new_page(), url, api_url, front)
    try:
        yield made
    finally:
        made.shoots(name)
        context.close()
