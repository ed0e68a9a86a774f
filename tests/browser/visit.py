# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of somebody who comes with a browser.

What is deployed here as the front is the test bed's stand-in. The stories are made so that the real one can be put in
its place: with `FRONT = person.REAL` and images of the real front, they ask for nothing that is the stand-in's alone.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from playwright.sync_api import Browser

from browser.person import STAND_IN, Person, person
from outside.deployment import password

FRONT = STAND_IN
DOMAIN, API_DOMAIN = "billing.example.com", "api.example.com"
URL, API_URL = f"https://{DOMAIN}", f"https://{API_DOMAIN}"
EMAIL, ORGANIZATION, SLUG = "ada@example.com", "API", "api"


def comes(chromium: Browser, api_url: str, name: str) -> AbstractContextManager[Person]:
    return person(chromium, URL, api_url, name, FRONT)


def uses_it(somebody: Person) -> None:
    """The whole way of somebody new, without one complaint of the browser."""
    somebody.signs_in(EMAIL, password("tls_modes"), ORGANIZATION)
    assert somebody.setting("API_URL") == somebody.api_url
    assert somebody.setting("LAGO_DISABLE_SIGNUP") == "true"
    assert somebody.path.startswith(f"/{SLUG}/")
    somebody.listens()
    assert {url.split("?")[0] for url in somebody.seen.cables} == {somebody.api_url.replace("https", "wss") + "/cable"}
    assert somebody.seen.plain == []
    assert somebody.seen.failed == []
    assert somebody.seen.console == []
