# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are, and how the tools start other programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
COLLECTIONS = CACHE / "collections"
BIN = Path(sys.executable).parent
NAME = "selfhosted.lago"


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a program that needs this checkout as a collection and the venv's programs."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return {**inherited, "PATH": path, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), **more}


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a program with no standard input and end with its exit code if that is not 0."""
    code = code_of(*command, cwd=cwd, env=env)
    if code:
        raise SystemExit(code)


def code_of(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> int:
    """Run a program with no standard input and return its exit code."""
    words = [str(word) for word in command]
    print("+ " + " ".join(words), flush=True)
    return subprocess.run(words, cwd=cwd, env=env or environment(), stdin=subprocess.DEVNULL, check=False).returncode


def files() -> list[Path]:
    """Return what a commit of everything would hold: tracked and new files, none that is ignored, from the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    found = (Path(name) for name in listed.stdout.decode().split("\0") if name)
    return sorted({path for path in found if (ROOT / path).is_file()})


def copy(target: Path, paths: list[Path]) -> None:
    """Make the target a folder of these files of the project, and of nothing else."""
    shutil.rmtree(target, ignore_errors=True)
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path)


def installed_collections() -> Path:
    """Return the collections that came with the `ansible` package."""
    return Path(sysconfig.get_path("purelib")) / "ansible_collections"
