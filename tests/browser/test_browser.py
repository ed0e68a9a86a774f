# SPDX-License-Identifier: GPL-3.0-or-later
"""A person signs in with a browser that trusts the deployment's authority, at one origin and at two.

What is deployed here as the front is the test bed's stand-in. The tests are made so that the real one can be put in its
place: with `FRONT = person.REAL` and images of the real front, they ask for nothing that is the stand-in's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from browser.chromium import browser
from browser.person import STAND_IN, Person, person
from outside.deployment import Deployment, password
from outside.lifecycle import done

FRONT = STAND_IN
DOMAIN, API_DOMAIN = "billing.example.com", "api.example.com"
URL, API_URL = f"https://{DOMAIN}", f"https://{API_DOMAIN}"
EMAIL, ORGANIZATION, SLUG = "ada@example.com", "API", "api"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(
    deployment: Deployment, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser that trusts the authority of the deployment, and no other."""
    home = tmp_path_factory.mktemp("home")
    authority = home / "ca.crt"
    authority.write_text(deployment.read("/opt/lago/ca.crt"))
    with browser(playwright, home, deployment.address, [DOMAIN, API_DOMAIN], authority) as started:
        yield started


def comes(chromium: Browser, api_url: str, name: str) -> AbstractContextManager[Person]:
    return person(chromium, URL, api_url, name, FRONT)


def uses_it(somebody: Person) -> None:
    """The whole way of somebody new, without one complaint of the browser."""
    somebody.signs_in(EMAIL, password("browser"), ORGANIZATION)
    assert somebody.setting("API_URL") == somebody.api_url
    assert somebody.setting("LAGO_DISABLE_SIGNUP") == "true"
    assert somebody.path.startswith(f"/{SLUG}/")
    somebody.listens()
    assert {url.split("?")[0] for url in somebody.seen.cables} == {somebody.api_url.replace("https", "wss") + "/cable"}
    assert somebody.seen.plain == []
    assert somebody.seen.failed == []
    assert somebody.seen.console == []


def test_somebody_signs_in_at_the_one_origin(chromium: Browser) -> None:
    with comes(chromium, URL, "one-origin") as somebody:
        uses_it(somebody)
        assert {url.split("/")[2] for url in somebody.seen.asked} == {DOMAIN}


def test_the_pages_of_an_organization_called_api_are_the_fronts(chromium: Browser) -> None:
    """Each comes by its address, not by the page's own doing."""
    with comes(chromium, URL, "organization-api") as somebody:
        uses_it(somebody)
        for section in ("customers", "plans"):
            somebody.page.goto(f"{URL}/{SLUG}/{section}")
            somebody.page.get_by_text(ORGANIZATION, exact=True).first.wait_for()
            assert somebody.path == f"/{SLUG}/{section}"
        assert somebody.seen.console == []


def test_a_browser_that_does_not_trust_the_authority_shows_nothing(
    deployment: Deployment, playwright: Playwright, tmp_path: Path
) -> None:
    with (
        browser(playwright, tmp_path, deployment.address, [DOMAIN]) as strange,
        comes(strange, URL, "not-trusted") as somebody,
        pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"),
    ):
        somebody.page.goto(URL)


@pytest.fixture
def send_browsers_to(deployment: Deployment) -> Iterator[Callable[[str], None]]:
    """Let the front send browsers elsewhere, as a hand on the server would."""
    environment = "/opt/lago/env/front.env"
    compose = ["docker", "compose", "--project-directory", "/opt/lago", "up", "-d", "--wait", "--no-deps", "front"]

    def send(url: str) -> None:
        deployment.shell("sed", "-i", f"s#^API_URL=.*#API_URL={url}#", environment)
        deployment.shell(*compose)

    deployment.shell("cp", "-a", environment, "/run/front.env")
    yield send
    deployment.shell("cp", "-a", "/run/front.env", environment)
    deployment.shell(*compose)


def test_a_wrong_api_url_is_noticed_by_these_tests(chromium: Browser, send_browsers_to: Callable[[str], None]) -> None:
    """A name that is nowhere, mixed content, and a path that is the front's."""
    for wrong in ("https://nowhere.example.com", f"http://{DOMAIN}:3000", f"{URL}/api"):
        send_browsers_to(wrong)
        with comes(chromium, wrong, "wrong-api-url") as somebody:
            somebody.page.context.set_default_timeout(3000)
            with pytest.raises((AssertionError, Error)):
                uses_it(somebody)
            assert somebody.seen.failed, wrong


def test_somebody_signs_in_where_the_api_has_an_origin_of_its_own(deployment: Deployment, chromium: Browser) -> None:
    done(deployment.run(lago_api_domain=API_DOMAIN))
    with comes(chromium, API_URL, "two-origins") as somebody:
        uses_it(somebody)
        assert {url.split("/")[2] for url in somebody.seen.asked} == {DOMAIN, API_DOMAIN}
