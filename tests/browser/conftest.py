# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployment of the scenario tls_modes, among whose stories these are told; by themselves they make one like it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from browser.chromium import browser
from browser.visit import API_DOMAIN, DOMAIN
from outside.deployment import ROOT, Deployment
from outside.lifecycle import done
from testbed import bed, containers, servers

NAME = "testbed-tls-modes"
INVENTORY = ROOT / "molecule" / "tls_modes" / "inventory.yml"


@pytest.fixture(scope="session")
def deployment() -> Iterator[Deployment]:
    bed.up()
    alone = containers.find(NAME) is None
    if alone:
        servers.create(NAME, image="docker")
    there = Deployment(NAME, INVENTORY)
    if alone:
        done(there.run())
    yield there
    if alone:
        servers.remove(NAME)


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
