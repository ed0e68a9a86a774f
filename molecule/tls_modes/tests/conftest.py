# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployment for all stories, and what its operator and its users have in their hands."""

from __future__ import annotations

from pathlib import Path

import pytest

from outside.authority import Authority
from outside.edge import Edge

SCENARIO = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Somebody who issues certificates, and whom the users trust."""
    return Authority()


@pytest.fixture(scope="session")
def lago(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Edge:
    return Edge(SCENARIO, authority, tmp_path_factory.mktemp("operator"))
