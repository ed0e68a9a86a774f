# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployment for all stories."""

from __future__ import annotations

import pytest

from outside.lifecycle import Lifecycle


@pytest.fixture(scope="session")
def lago() -> Lifecycle:
    return Lifecycle()
