# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployment for all stories."""

from __future__ import annotations

from pathlib import Path

import pytest

from outside.lifecycle import Lifecycle


@pytest.fixture(scope="session")
def lago() -> Lifecycle:
    return Lifecycle("testbed-rotation", Path(__file__).parents[1])
