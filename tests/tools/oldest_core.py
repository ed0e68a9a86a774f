# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes .cache/venv-core-2.18: the oldest supported ansible-core on the oldest supported Python.

The core alone: collections are taken from the environment that everything else runs in.
"""

from __future__ import annotations

import fcntl
import shutil

from make_venv import ROOT, best, minor_of, run, say

CORE = "2.18"
VENV = ROOT / ".cache" / f"venv-core-{CORE}"
# The oldest first: what a controller may have at least
MINORS = (11, 12, 13)
PROBE = "import sys, venv, ensurepip; print(sys.version_info[1])"
STAMP = VENV / f".core-{CORE}"


def make() -> None:
    """Make the environment, unless it is there and works."""
    with (ROOT / ".cache" / "venv-core.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if STAMP.exists() and minor_of(VENV / "bin" / "python", "import ansible, sys; print(sys.version_info[1])"):
            return
        shutil.rmtree(VENV, ignore_errors=True)
        python, minor = best(PROBE, MINORS)
        if python is None:
            raise SystemExit(f"venv: ansible-core {CORE} needs Python 3.11, 3.12 or 3.13 with its venv module.")
        say(f"ansible-core {CORE} on Python 3.{minor} ({python})")
        run(str(python), "-m", "venv", str(VENV))
        run(str(VENV / "bin" / "pip"), "install", "-q", f"ansible-core=={CORE}.*", "requests")
        STAMP.touch()


if __name__ == "__main__":
    make()
