# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes every command line that any process has, until a file says that it is enough. Runs by itself on a server."""

from __future__ import annotations

import os
import sys
import time

YOUNG = 40
"""How often a process is looked at each time; an older one, which no longer becomes another program, seldom."""


def main(target: str, pause: float) -> None:
    """Write each command line once to the target, as soon as it is seen; end when `target.stop` is there."""
    seen = set()
    looks: dict[str, int] = {}
    with open(target, "ab", buffering=0) as file:
        while not os.path.exists(f"{target}.stop"):
            there = [entry for entry in os.listdir("/proc") if entry.isdigit()]
            looks = {pid: looks.get(pid, 0) + 1 for pid in there}
            for pid in there:
                if looks[pid] > YOUNG and looks[pid] % YOUNG:
                    continue
                try:
                    with open(f"/proc/{pid}/cmdline", "rb") as found:
                        line = found.read()
                except OSError:
                    continue
                if line not in seen:
                    seen.add(line)
                    file.write(line.replace(b"\0", b" ") + b"\n")
            time.sleep(pause)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
