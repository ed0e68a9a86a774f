# SPDX-License-Identifier: GPL-3.0-or-later
"""The same person where the API has an origin of its own."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from browser.visit import API_DOMAIN, API_URL, DOMAIN, comes, uses_it
from outside.deployment import Deployment
from outside.lifecycle import done


@pytest.fixture(autouse=True)
def two_origins(deployment: Deployment) -> None:
    if API_DOMAIN not in deployment.read("/opt/lago/env/front.env"):
        done(deployment.run(lago_api_domain=API_DOMAIN))


def test_somebody_signs_in_where_the_api_has_an_origin_of_its_own(chromium: Browser) -> None:
    with comes(chromium, API_URL, "two-origins") as somebody:
        uses_it(somebody)
        assert {url.split("/")[2] for url in somebody.seen.asked} == {DOMAIN, API_DOMAIN}
