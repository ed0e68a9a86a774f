# SPDX-License-Identifier: GPL-3.0-or-later
"""What every measurement shares: whole processes by the wall, and a page of figures with the machine's load."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BIN = Path(sys.executable).parent


def load() -> str:
    """Return how busy the machine is: 1.0 is one processor's worth of work, over the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def seconds(*commands: Sequence[str]) -> float:
    """Wall time of the commands, one after the other; a failure ends the measurement."""
    started = time.monotonic()
    for command in commands:
        done = subprocess.run(
            command, env={**os.environ, "ANSIBLE_PIPELINING": "true"}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.monotonic() - started


def page(name: str, title: str, figures: Mapping[str, list[float]], starts: Mapping[str, int], before: str) -> None:
    """Print and keep a table: one row for each way, its seconds, its share of the last one's, its module starts.

    :param before: the load before the measurement.
    """
    hand = statistics.median(list(figures.values())[-1])
    lines = ["| what | min s | median s | max s | more s | ratio | module starts |", "| --- |" + " --- |" * 6]
    for way, taken in figures.items():
        median = statistics.median(taken)
        lines.append(
            f"| {way} | {min(taken):.1f} | {median:.1f} | {max(taken):.1f} | {median - hand:+.1f} | {median / hand:.2f}"
            f" | {starts.get(way, 0)} |"
        )
    runs = len(list(figures.values())[-1])
    table = "\n".join(lines)
    under = (
        f"{runs} runs in turn, whole processes by the wall, on {os.cpu_count()} processors ({platform.machine()}), "
        f"load {before} before and {load()} after. `more` and `ratio` are against the last row."
    )
    (HERE / f"{name}.md").write_text(f"# {title}\n\n{under}\n\n{table}\n")
    print(f"\n{title}\n{under}\n\n{table}")
