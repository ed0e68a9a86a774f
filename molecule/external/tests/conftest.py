# SPDX-License-Identifier: GPL-3.0-or-later
"""One server and one operator for all stories."""

from __future__ import annotations

import pytest

from outside.services import Connected


@pytest.fixture(scope="session")
def lago() -> Connected:
    return Connected()
