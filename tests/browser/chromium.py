# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's Chromium with a profile of its own that trusts one certificate authority, and finds names at one address."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from testbed.engine import install

PACKAGES = {"chromium": "chromium", "certutil": "libnss3-tools"}
"""Commands that the tests need, and Debian's packages that bring them."""


def _trust(home: Path, authority: Path) -> None:
    """Make the store in which Chromium looks for authorities that its user trusts, and put one in."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    subprocess.run(["certutil", "-d", f"sql:{store}", "-N", "--empty-password"], check=True)
    given = ["-A", "-n", "Lago", "-t", "C,,", "-i", str(authority)]
    subprocess.run(["certutil", "-d", f"sql:{store}", *given], check=True)


@contextmanager
def browser(
    playwright: Playwright, home: Path, address: str, names: list[str], authority: Path | None = None
) -> Iterator[Browser]:
    """Start Chromium and end it.

    :param home: An empty folder.
    :param address: Where `names` are; every other name is nowhere.
    :param authority: PEM file of a root certificate to trust.
    """
    install(PACKAGES)
    if authority is not None:
        _trust(home, authority)
    rules = ", ".join([*(f"MAP {name} {address}" for name in names), "MAP * ~NOTFOUND"])
    started = playwright.chromium.launch(
        executable_path="/usr/bin/chromium",
        args=[f"--host-resolver-rules={rules}", "--disable-background-networking"],
        env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")},
    )
    try:
        yield started
    finally:
        started.close()
