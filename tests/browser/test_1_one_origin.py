# SPDX-License-Identifier: GPL-3.0-or-later
"""A person signs in with a browser that trusts the deployment's authority, where front and API have one origin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Playwright

from browser.chromium import browser
from browser.visit import DOMAIN, ORGANIZATION, SLUG, URL, comes, uses_it
from outside.deployment import Deployment


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
    """Let the front send browsers elsewhere, as a hand in its container would."""

    def front(script: str) -> None:
        deployment.shell("docker", "exec", "lago-front-1", "sh", "-c", script)

    front("cp env-config.js /tmp/env-config.js")
    yield lambda url: front(f"sed -i 's#API_URL = .*#API_URL = \"{url}\"#' env-config.js")
    front("cp /tmp/env-config.js env-config.js")


def test_a_wrong_api_url_is_noticed_by_these_tests(chromium: Browser, send_browsers_to: Callable[[str], None]) -> None:
    """A name that is nowhere, mixed content, and a path that is the front's."""
    for wrong in ("https://nowhere.example.com", f"http://{DOMAIN}:3000", f"{URL}/api"):
        send_browsers_to(wrong)
        with comes(chromium, wrong, "wrong-api-url") as somebody:
            somebody.page.context.set_default_timeout(3000)
            with pytest.raises((AssertionError, Error)):
                uses_it(somebody)
            assert somebody.seen.failed, wrong
