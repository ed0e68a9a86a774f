# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes .venv with the newest suitable Python of this machine, and makes the checkout visible as a collection.

Runs with whatever `python3` there is, so it uses the standard library only and no syntax newer than Python 3.8.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMP = VENV / ".stamp"
LINK = ROOT / ".cache" / "collections" / "ansible_collections" / "selfhosted" / "lago"
PINNED = ("requirements.txt", "constraints.txt")
# The most wanted first. The newest ansible needs 3.12; with 3.11 an older one is installed.
MINORS = (13, 12, 14, 11)
PROBE = "import sys, venv, ensurepip; print(sys.version_info[1])"
PROBE_WITHOUT_VENV = "import sys; print(sys.version_info[1])"


def say(text: str) -> None:
    print(f"venv: {text}", flush=True)


def pythons(minors: Iterable[int]) -> Iterator[Path]:
    """Yield every interpreter worth asking, the most wanted first; some are not what their name says."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for minor in minors:
        found = shutil.which(f"python3.{minor}")
        if found:
            yield Path(found)
        yield from sorted(pyenv.glob(f"3.{minor}.*/bin/python3"), reverse=True)
    found = shutil.which("python3")
    if found:
        yield Path(found)


def minor_of(python: Path, probe: str) -> int:
    """Return the minor version of an interpreter that works and passes the probe, or 0."""
    command = [str(python), "-c", probe]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return int(asked.stdout) if asked.returncode == 0 else 0


def best(probe: str, minors: Iterable[int] = MINORS) -> tuple[Path | None, int]:
    """Return the most wanted interpreter that passes the probe, with its minor version; None and 0 if there is none."""
    for python in pythons(minors):
        minor = minor_of(python, probe)
        if minor in minors:
            return python, minor
    return None, 0


def choose() -> Path:
    """Return the interpreter to use; on a Debian whose Python cannot make environments, install what is missing."""
    chosen, minor = best(PROBE)
    if chosen is None and shutil.which("apt-get") and os.geteuid() == 0:
        say("no Python here can make a virtual environment: installing python3-venv")
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3", "python3-venv")
        chosen, minor = best(PROBE)
    if chosen is None:
        raise SystemExit(
            "venv: Python 3.11 or newer with its venv module is needed (Debian: apt-get install python3-venv)."
        )
    say(f"Python 3.{minor} ({chosen})")
    return chosen


def run(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit(f"venv: '{' '.join(command)}' ended with {done.returncode}.")


def fingerprint() -> str:
    """Return a hash of all that decides what is in the environment."""
    return hashlib.sha256(b"\0".join((ROOT / name).read_bytes() for name in PINNED)).hexdigest()


def working() -> bool:
    """Tell whether an environment is there and starts: its interpreter may be gone, or the checkout moved."""
    pip = VENV / "bin" / "pip"
    if not pip.exists() or not minor_of(VENV / "bin" / "python", PROBE_WITHOUT_VENV):
        return False
    try:
        return subprocess.run([str(pip), "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install() -> None:
    """Make the environment, or bring the one that works up to what is pinned."""
    if not working():
        shutil.rmtree(VENV, ignore_errors=True)
        run(str(choose()), "-m", "venv", str(VENV))
    say("installing requirements.txt")
    run(str(VENV / "bin" / "pip"), "install", "-q", "-r", "requirements.txt", "-c", "constraints.txt")
    STAMP.write_text(fingerprint())


def link() -> None:
    """Make the checkout visible as ansible_collections/selfhosted/lago, relative, so that the tree can be moved."""
    LINK.parent.mkdir(parents=True, exist_ok=True)
    target = os.path.relpath(ROOT, LINK.parent)
    if LINK.is_symlink() and os.readlink(LINK) == target:
        return
    beside = LINK.with_name(f".lago-{os.getpid()}")
    beside.symlink_to(target)
    beside.replace(LINK)


def main() -> None:
    """Do what is to be done, one at a time."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    with (ROOT / ".cache" / "venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        link()
        if not STAMP.exists() or STAMP.read_text() != fingerprint() or not working():
            install()
        STAMP.touch()


if __name__ == "__main__":
    main()
