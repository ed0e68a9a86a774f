# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test`: every stage in order, each a target of the Makefile; stops at the first that fails.

A stage whose tests do not exist is reported as absent, never as passed. The whole log of a stage is in .cache/logs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from project import CACHE, ROOT, environment

LOGS = CACHE / "logs"
LINES_OF_A_FAILURE = 60
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
FRAMES = re.compile(r"^ *│ *", re.MULTILINE)
FAILURES = re.compile(r"= FAILURES\s+=(.*?)(?:=\s+slowest\s+durations|short\s+test\s+summary)", re.DOTALL)
COUNTS = re.compile(r"^=+ (.*\b(?:passed|failed|error).* in [0-9.]+s.*?) =+$")


@dataclass
class Stage:
    """A target of the Makefile, and the files without which there is nothing to run."""

    name: str
    target: str
    needs: str

    @property
    def absent(self) -> bool:
        return not any(ROOT.glob(self.needs))

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"


def stages() -> list[Stage]:
    """Return all stages in order, one for each scenario of molecule; those of TLS are one."""
    names = sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")) or ["default"]
    scenarios = dict.fromkeys(re.sub("^tls_.*", "tls", name) for name in names)
    return [
        Stage("lint", "lint", "pyproject.toml"),
        Stage("unit", "unit", "tests/unit/**/test_*.py"),
        Stage("house", "house", "tests/house/test_*.py"),
        Stage("sanity", "sanity", "galaxy.yml"),
        Stage("build", "build", "galaxy.yml"),
        Stage("testbed", "testbed", "tests/testbed/__main__.py"),
        Stage("contract", "contract", "tests/contract/**/test_*.py"),
        Stage("edge", "edge", "tests/edge/test_*.py"),
        *(Stage(f"molecule-{name}", f"molecule-{name}", f"molecule/{name}*/molecule.yml") for name in scenarios),
        Stage("integration", "integration", "tests/integration/**/test_*.py"),
        Stage("leaks", "leaks-in-turns", "tests/leaks/test_*.py"),
        Stage("chaos", "chaos-by-chance", "tests/chaos/test_*.py"),
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


def main() -> int:
    """Run the stages named on the command line, or all; return 0 only if something ran and all of it passed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:]
    results: list[tuple[Stage, str, float]] = []
    began = time.monotonic()
    failed = False
    for stage in stages():
        if wanted and stage.name not in wanted:
            continue
        if failed:
            results.append((stage, "not run", 0))
            continue
        if stage.absent:
            print(f"{stage.name}: absent, there is no {stage.needs}", flush=True)
            results.append((stage, "absent", 0))
            continue
        print(f"{stage.name} ...", flush=True)
        started = time.monotonic()
        failed = not run(stage)
        results.append((stage, "failed" if failed else "passed", time.monotonic() - started))
        if failed:
            print(what_failed(stage.log.read_text(errors="replace")))
            print(f"\n{stage.name} failed; its whole log is {stage.log.relative_to(ROOT)}")
    report(results, time.monotonic() - began)
    return 1 if failed or not any(result == "passed" for _, result, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
