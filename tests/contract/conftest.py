# SPDX-License-Identifier: GPL-3.0-or-later
"""One bed for all tests of the stand-ins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contract.standin_bed import Bed, build


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    """PostgreSQL and Redis, and a migrated database of every release."""
    build()
    made = Bed()
    try:
        made.migrate_all()
        yield made
    finally:
        made.close()
