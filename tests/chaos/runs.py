# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the playbook: to the end, or killed on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chaos.places import Place
from outside.deployment import ROOT, Run

HERE = Path(__file__).resolve().parent
INVENTORY = HERE / "inventory.yml"
CACHE = ROOT / ".cache" / "chaos"
PLAYBOOK = "selfhosted.lago.site"


@dataclass(frozen=True)
class Kill:
    """Where a run is killed: so many seconds into the task of this name, the nth of it, with its workers or without."""

    task: str
    nth: int = 0
    after: float = 0.0
    workers: bool = True


@dataclass
class Running:
    """A run that works."""

    process: subprocess.Popen[bytes]
    trace: Path
    log: Path

    def tasks(self) -> list[str]:
        """Return the names of the tasks that began."""
        lines = self.trace.read_text().splitlines() if self.trace.exists() else []
        return [line.split("\t")[2] for line in lines if "\t" in line]

    @property
    def killed(self) -> bool:
        return self.trace.exists() and self.trace.read_text().endswith("killed\n")

    def reached(self, task: str, nth: int = 0, seconds: float = 600) -> bool:
        """Wait until the nth task of this name begins; return whether it did before the run ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.tasks().count(task) > nth:
                return True
            if self.process.poll() is not None:
                return self.tasks().count(task) > nth
            time.sleep(0.02)
        raise AssertionError(f"'{task}' was not reached in {seconds} s:\n{self.log.read_text()[-3000:]}")

    def end(self, seconds: float = 600) -> Run:
        """Wait for the end."""
        code = self.process.wait(seconds)
        return Run(code, self.log.read_text(errors="replace"))


def start(
    kill: Kill | None = None,
    playbook: str = PLAYBOOK,
    before: tuple[str, ...] = (),
    inventory: Path = INVENTORY,
    **variables: Any,
) -> Running:
    """Start a run as its operator would.

    :param before: a command that the run's own is appended to (another machine's hull).
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    name = f"{time.time():.6f}"
    trace, log = CACHE / f"{name}.trace", CACHE / f"{name}.log"
    chaos: dict[str, Any] = {"trace": str(trace)}
    if kill is not None:
        chaos |= asdict(kill)
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "chaos",
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_FORCE_COLOR": "false",
        "CHAOS": json.dumps(chaos),
        "PYTHONPATH": str(ROOT / "tests"),
    }
    command = [*before, str(Path(sys.executable).with_name("ansible-playbook")), playbook, "-i", str(inventory)]
    if variables:
        command += ["--extra-vars", json.dumps(variables)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    return Running(process, trace, log)


def to_the_end(**variables: Any) -> Run:
    """Run and insist on success."""
    run = start(**variables).end()
    assert run.code == 0, run.output[-6000:]
    return run


def struck(place: Place, strike: Callable[[], None], **variables: Any) -> Run:
    """Run, and strike at the server when the place is reached; the run ends as it may."""
    running = start(**variables)
    reached = running.reached(place.task, place.nth)
    time.sleep(place.after)
    strike()
    run = running.end()
    assert reached, f"{place} was not reached:\n" + "\n".join(running.tasks())
    return run


def another_machine(name: str) -> tuple[str, ...]:
    """Return the hull of a command that runs it as if on a machine of this name."""
    own = () if os.geteuid() == 0 else ("--map-root-user",)
    return ("unshare", "--uts", *own, "sh", "-c", 'hostname "$0" && exec "$@"', name)
