# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes .cache/venv-sslyze: an environment of its own, since sslyze wants an older cryptography than the others."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

from make_venv import ROOT, best, minor_of, run, say

PINNED = ROOT / "tests" / "edge" / "sslyze.txt"
VENV = ROOT / ".cache" / "venv-sslyze"
STAMP = VENV / ".stamp"
PROBE = "import sys, venv, ensurepip; print(sys.version_info[1])"


def make() -> Path:
    """Make the environment, unless it is there and works; return its Python."""
    python = VENV / "bin" / "python"
    with (ROOT / ".cache" / "venv-sslyze.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        works = minor_of(python, "import sslyze, sys; print(sys.version_info[1])")
        if works and STAMP.exists() and STAMP.read_text() == PINNED.read_text():
            return python
        shutil.rmtree(VENV, ignore_errors=True)
        chosen, minor = best(PROBE)
        if chosen is None:
            raise SystemExit("venv: sslyze needs Python 3.11 or newer with its venv module.")
        say(f"sslyze on Python 3.{minor} ({chosen})")
        run(str(chosen), "-m", "venv", str(VENV))
        run(str(VENV / "bin" / "pip"), "install", "-q", "-r", str(PINNED))
        STAMP.write_text(PINNED.read_text())
    return python
