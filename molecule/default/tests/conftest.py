# SPDX-License-Identifier: GPL-3.0-or-later
"""The server of this scenario and its users."""

from __future__ import annotations

from pathlib import Path

import pytest

from outside.deployment import Deployment, password
from outside.lago_user import LagoUser

URL = "https://billing.example.com"


@pytest.fixture(scope="session")
def admin_password() -> str:
    return password("default")


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    return Deployment("testbed-default", Path(__file__).parents[1] / "inventory.yml")


@pytest.fixture(scope="session")
def user(deployment: Deployment) -> LagoUser:
    return deployment.user(URL)
