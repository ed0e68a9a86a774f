# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, places and addresses that every part of the test bed shares."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "testbed"
STATE = CACHE / "state.json"
"""What the last `up` found and did."""

LABEL = "selfhosted.lago.testbed"
"""Every container, image and volume of the test bed carries this label (value 1)."""

REGISTRY_PORT = 5000
REPOSITORIES_PORT = 5001

LAGO_VERSIONS = ("v1.42.0", "v1.44.0", "v1.45.2", "v1.50.0", "v1.51.0")
"""The releases that the stand-ins of the API and the front are built as."""


class TestbedError(Exception):
    """What went wrong, as a sentence for the person who ran the command."""

    __test__ = False


def last_up() -> dict[str, Any]:
    """Return what the last `up` wrote down; empty when there was none."""
    try:
        found: dict[str, Any] = json.loads(STATE.read_text())
    except (OSError, ValueError):
        return {}
    return found


def say(text: str) -> None:
    """Tell the person what is going on, on standard error: standard output carries results only."""
    print(f"testbed: {text}", file=sys.stderr, flush=True)


@contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time build and start things; the next one waits and then finds them done."""
    CACHE.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(CACHE / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
