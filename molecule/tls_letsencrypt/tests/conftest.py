# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployment and its ACME server for all stories."""

from __future__ import annotations

import pytest

from outside.authority import Authority
from outside.deployment import CACHE
from outside.letsencrypt import SERVER, Edge
from testbed.acme import AcmeServer


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Another one that everybody here trusts: whose certificates end when the test wants it."""
    return Authority()


@pytest.fixture(scope="session")
def edge(authority: Authority) -> Edge:
    acme = AcmeServer(f"{SERVER}-acme")
    acme.start(life=86400)
    CACHE.mkdir(parents=True, exist_ok=True)
    edge = Edge(acme)
    edge.roots.write_text(authority.root)
    edge.trust()
    return edge
