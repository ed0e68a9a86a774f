# SPDX-License-Identifier: GPL-3.0-or-later
"""A converge with nothing to do against ping and `docker compose up -d` by hand: medians of whole processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BIN = Path(sys.executable).parent
INVENTORY = ROOT / "demo" / "inventory.yml"
VARIABLES = f"@{ROOT / '.cache' / 'demo' / 'vars.json'}"
COMPOSE = "docker compose --project-directory /opt/lago -f /opt/lago/compose.yml up -d"
RUNS = 5


def seconds(*commands: list[str]) -> float:
    """Wall time of the commands, one after the other; a failure ends the measurement."""
    started = time.monotonic()
    for command in commands:
        done = subprocess.run(
            command, env={**os.environ, "ANSIBLE_PIPELINING": "true"}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.monotonic() - started


def main() -> None:
    play = [str(BIN / "ansible-playbook"), "-i", str(INVENTORY), "-e", VARIABLES]
    ansible = [str(BIN / "ansible"), "lago", "-i", str(INVENTORY)]
    ways = {
        "site.yml, nothing to do": [[*play, "selfhosted.lago.site"]],
        "the same without verification": [[*play, str(HERE / "converge.yml")]],
        "ping + compose up -d by hand": [
            [*ansible, "-m", "ansible.builtin.ping"],
            [*ansible, "-m", "ansible.builtin.command", "-a", COMPOSE],
        ],
        "ping + compose up -d in the server's own shell": [
            [*ansible, "-m", "ansible.builtin.ping"],
            ["docker", "exec", "lago-demo", *COMPOSE.split()],
        ],
    }
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for run in range(RUNS + 1):
        for name, commands in ways.items():
            took = seconds(*commands)
            if run:  # the first is a warm-up
                figures[name].append(took)
    hand = statistics.median(figures["ping + compose up -d in the server's own shell"])
    lines = ["| what | min s | median s | max s | ratio |", "| --- | --- | --- | --- | --- |"]
    for name, taken in figures.items():
        median = statistics.median(taken)
        lines.append(f"| {name} | {min(taken):.2f} | {median:.2f} | {max(taken):.2f} | {median / hand:.2f} |")
    table = "\n".join(lines)
    (HERE / "noop.md").write_text(
        f"# No-op converge\n\nMedians of {RUNS} runs in turn, whole processes by the wall.\n\n{table}\n"
    )
    print(table)


if __name__ == "__main__":
    main()
