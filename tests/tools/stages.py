# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test`: every stage in order, each a target of the Makefile; none is begun once one has failed.

Those that need servers run two beside each other: much of their time they wait. A stage whose tests do not exist is
reported as absent, never as passed. The whole log of a stage is in .cache/logs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from project import CACHE, ROOT, environment

LOGS = CACHE / "logs"
LINES_OF_A_FAILURE = 60
BESIDE_EACH_OTHER = 2
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
FRAMES = re.compile(r"^ *│ *", re.MULTILINE)
FAILURES = re.compile(r"= (?:FAILURES|ERRORS)\s+=(.*?)(?:=\s+slowest\s+durations|short\s+test\s+summary)", re.DOTALL)
COUNTS = re.compile(r"^=+ (.*\b(?:passed|failed|error).* in [0-9.]+s.*?) =+$")


@dataclass
class Stage:
    """A target of the Makefile, and the files without which there is nothing to run."""

    name: str
    target: str
    needs: str
    on_servers: bool = False

    @property
    def absent(self) -> bool:
        return not any(ROOT.glob(self.needs))

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"


def stages() -> list[Stage]:
    """Return all stages in order, one for each scenario of molecule."""
    scenarios = sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")) or ["default"]
    # The longest first, so that nothing long is left to run alone in the end.
    needing_servers = [
        ("chaos", "chaos-by-chance", "tests/chaos/test_*.py"),
        ("leaks", "leaks-in-turns", "tests/leaks/test_*.py"),
        ("contract", "contract", "tests/contract/**/test_*.py"),
        ("edge", "edge", "tests/edge/test_*.py"),
        *((f"molecule-{name}", f"molecule-{name}", f"molecule/{name}/molecule.yml") for name in scenarios),
        ("integration", "integration", "tests/integration/**/test_*.py"),
    ]
    return [
        Stage("lint", "lint", "pyproject.toml"),
        Stage("unit", "unit", "tests/unit/**/test_*.py"),
        Stage("house", "house", "tests/house/test_*.py"),
        Stage("sanity", "sanity", "galaxy.yml"),
        Stage("build", "build", "galaxy.yml"),
        Stage("testbed", "testbed", "tests/testbed/__main__.py"),
        *(Stage(*those, on_servers=True) for those in needing_servers),
    ]


def run(stage: Stage) -> bool:
    """Run the stage with its output in its log, and tell whether it passed."""
    make = os.environ.get("MAKE", "make")
    with stage.log.open("w") as log:
        command = [make, "--no-print-directory", stage.target]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
        )
    return done.returncode == 0


def told(stage: Stage) -> str:
    """Return pytest's own counts out of the stage's log, where it has any."""
    found = [match[1] for line in stage.log.read_text(errors="replace").splitlines() if (match := COUNTS.match(line))]
    return "; ".join(found)


def what_failed(text: str) -> str:
    """Return what pytest says of its failures, also where it ran inside a playbook's task; else the last lines."""
    plain = FRAMES.sub("", COLOURS.sub("", text))
    if told_of := FAILURES.search(plain):
        plain = told_of[1].replace("\\n", "\n")
    return "\n".join(plain.splitlines()[-LINES_OF_A_FAILURE:])


def report(results: list[tuple[Stage, str, float]], total: float) -> None:
    """Print a line for each stage and the counts of all."""
    print(f"\n{'stage':<22}{'seconds':>8}  result")
    for stage, result, seconds in results:
        counts = f": {told(stage)}" if result in ("passed", "failed") and told(stage) else ""
        took = f"{seconds:.0f}" if result in ("passed", "failed") else "-"
        print(f"{stage.name:<22}{took:>8}  {result}{counts}")
    print(f"{'all':<22}{total:>8.0f}\n")
    counted = {word: sum(1 for _, result, _ in results if result == word) for word in ("passed", "failed")}
    left = len(results) - sum(counted.values())
    print(f"stages: {counted['passed']} passed, {counted['failed']} failed" + (f", {left} skipped" if left else ""))


def outcomes(wanted: list[Stage], begin: Callable[[Stage], bool]) -> Iterator[tuple[Stage, str, float]]:
    """Yield what became of each stage, in order, and the seconds that it took."""
    failed: list[Stage] = []

    def outcome(stage: Stage) -> tuple[Stage, str, float]:
        if failed or stage.absent:
            return stage, "not run" if failed else "absent", 0
        print(f"{stage.name} ...", flush=True)
        started = time.monotonic()
        passed = begin(stage)
        if not passed:
            failed.append(stage)
        return stage, "passed" if passed else "failed", time.monotonic() - started

    for on_servers, beside in ((False, 1), (True, BESIDE_EACH_OTHER)):
        with ThreadPoolExecutor(beside) as runners:
            yield from runners.map(outcome, [stage for stage in wanted if stage.on_servers is on_servers])


def main() -> int:
    """Run the stages named on the command line, or all; return 0 only if something ran and all of it passed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    began, results = time.monotonic(), []
    for result in outcomes([one for one in stages() if one.name in (sys.argv[1:] or [one.name])], run):
        results.append(result)
        stage, became, _seconds = result
        if became == "absent":
            print(f"{stage.name}: absent, there is no {stage.needs}", flush=True)
        if became == "failed":
            print(what_failed(stage.log.read_text(errors="replace")))
            print(f"\n{stage.name} failed; its whole log is {stage.log.relative_to(ROOT)}", flush=True)
    report(results, time.monotonic() - began)
    ended = [became for _stage, became, _seconds in results]
    return 0 if "passed" in ended and "failed" not in ended else 1


if __name__ == "__main__":
    sys.exit(main())
