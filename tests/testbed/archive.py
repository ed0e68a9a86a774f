# SPDX-License-Identifier: GPL-3.0-or-later
"""Where this machine's own apt gets Debian from: the base images use the same place."""

from __future__ import annotations

import subprocess

from testbed import engine

SUITES = {"12": "bookworm", "13": "trixie"}
_FORMAT = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"


def _targets() -> set[tuple[str, str]]:
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", _FORMAT], capture_output=True, text=True, check=False
    ).stdout
    found = set()
    for line in listed.splitlines():
        origin, label, uri = line.split("|", 2)
        if origin == "Debian":
            found.add((label, uri))
    return found


def source_lines(release: str) -> list[str]:
    """Return the sources.list lines of a Debian release ("12", "13"), by the places in this machine's /etc/apt.

    An empty list means that this machine has no Debian archive configured: mmdebstrap then takes its own default.
    """
    suite = SUITES[release]
    targets = _targets()
    if not targets:
        engine.apt_get("update")
        targets = _targets()
    lines = []
    for label, uri in sorted(targets):
        if label == "Debian":
            lines += [f"deb {uri} {suite} main", f"deb {uri} {suite}-updates main"]
        elif label == "Debian-Security":
            lines.append(f"deb {uri} {suite}-security main")
    return lines
