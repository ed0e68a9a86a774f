# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes .cache/venv-core-2.18: the oldest supported ansible-core on the oldest supported Python; and those in between.

The core alone: collections are taken from the environment that everything else runs in.
"""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

from make_venv import ROOT, best, minor_of, run, say

CORE = "2.18"
BETWEEN = ("2.19", "2.20")
VENV = ROOT / ".cache" / f"venv-core-{CORE}"
# The oldest first: what a controller may have at least
MINORS = {"2.20": (12, 13, 14)}
PROBE = "import sys, venv, ensurepip; print(sys.version_info[1])"


def make(core: str = CORE) -> Path:
    """Make the environment of an ansible-core, unless it is there and works; return where it is."""
    place = VENV.with_name(f"venv-core-{core}")
    stamp = place / f".core-{core}"
    with (ROOT / ".cache" / "venv-core.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and minor_of(place / "bin" / "python", "import ansible, sys; print(sys.version_info[1])"):
            return place
        shutil.rmtree(place, ignore_errors=True)
        minors = MINORS.get(core, (11, 12, 13))
        python, minor = best(PROBE, minors)
        if python is None:
            needed = ", ".join(f"3.{minor}" for minor in minors)
            raise SystemExit(f"venv: ansible-core {core} needs one of Python {needed} with its venv module.")
        say(f"ansible-core {core} on Python 3.{minor} ({python})")
        run(str(python), "-m", "venv", str(place))
        run(str(place / "bin" / "pip"), "install", "-q", f"ansible-core=={core}.*", "requests")
        stamp.touch()
    return place


if __name__ == "__main__":
    make()
