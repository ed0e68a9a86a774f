# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `ansible-test sanity` over a copy of the collection: the checkout does not lie where ansible-test wants it.

Nothing is fetched but packages from PyPI. ansible-test makes the environments of its tests itself; the one program that
it wants from elsewhere, the script that puts pip into them, is written here and runs pip's own wheel instead.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from make_venv import PROBE, best
from project import BIN, CACHE, code_of, copy, environment, files, installed_collections, run

SANITY = CACHE / "sanity"
HOME = SANITY / "home"  # ansible-test keeps the environments of its tests there: a repeated run makes none
PYTHONS = SANITY / "bin"
COPY = SANITY / "ansible_collections" / "selfhosted" / "lago"
OLDEST_SERVER = 9  # Python 3.9: what a server may have; the newest is the one that runs Ansible here
# In no artifact, and looked after by ruff, mypy and ansible-lint.
OURS = ("tests", "molecule", "demo", "bench")
SKIPPED = {  # the test, the files it is for, of which there are none, and why it is not just run
    "pslint": ("*.ps1", "wants PowerShell, which is not in Debian"),
    "shellcheck": ("*.sh", "wants a program that would have to be installed for it alone"),
}

PIP_STARTER = """\
import runpy, sys

sys.path.insert(0, {wheel!r})
sys.argv[1:] = ["install"] + [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
ASK_PIP_VERSION = """\
import types
from ansible_test._internal import python_requirements

print(python_requirements.get_venv_packages(types.SimpleNamespace(version="3.12"))["pip"])
"""


def start_pip() -> None:
    """Write the script that ansible-test would fetch from its own site, under the name it would keep it by."""
    asked = subprocess.run([sys.executable, "-c", ASK_PIP_VERSION], capture_output=True, text=True, check=True)
    version = asked.stdout.strip()
    script = HOME / ".ansible" / "test" / "cache" / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    run(BIN / "pip", "download", "-q", "--no-deps", "--dest", SANITY / "pip", f"pip=={version}")
    wheel = next((SANITY / "pip").glob(f"pip-{version}-*.whl"))
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(PIP_STARTER.format(wheel=str(wheel)))


def pythons() -> list[str]:
    """Put the interpreters to test with on ansible-test's path, and return their versions, the controller's first."""
    PYTHONS.mkdir(parents=True, exist_ok=True)
    controller = f"3.{sys.version_info.minor}"
    found = {controller: Path(sys.executable).resolve()}
    oldest, minor = best(PROBE, [OLDEST_SERVER])
    if oldest is None:
        print(f"No Python 3.{OLDEST_SERVER} here: what runs on servers is checked with {controller} only.")
    else:
        found[f"3.{minor}"] = oldest
    for version, python in found.items():
        name = PYTHONS / f"python{version}"
        name.unlink(missing_ok=True)
        name.symlink_to(python)
    return list(found)


def main() -> int:
    """Run every sanity test that can run here and return ansible-test's exit code."""
    checked = [path for path in files() if path.parts[0] not in OURS or path.parts[:2] == ("tests", "sanity")]
    copy(COPY, checked)
    run(
        "git", "init", "-q", cwd=COPY
    )  # or else ansible-test takes the checkout around it, where all of .cache is ignored
    community = COPY.parents[1] / "community"
    community.unlink(missing_ok=True)
    community.symlink_to(installed_collections() / "community")
    start_pip()
    versions = pythons()
    command = [str(BIN / "ansible-test"), "sanity", "--color", "no", "--controller", f"origin:python={versions[0]}"]
    for version in versions:
        command += ["--target-python", version]
    for name, (pattern, reason) in SKIPPED.items():
        if any(path.match(pattern) for path in checked):
            raise SystemExit(f"There are {pattern} files now: {name} must run, although it {reason}.")
        print(f"Skipped: {name} ({reason}; no {pattern} here).")
        command += ["--skip-test", name]
    cache = os.environ.get("PIP_CACHE_DIR") or str(Path.home() / ".cache" / "pip")
    path = os.pathsep.join([str(PYTHONS), environment()["PATH"]])
    return code_of(*command, *sys.argv[1:], cwd=COPY, env=environment(HOME=str(HOME), PATH=path, PIP_CACHE_DIR=cache))


if __name__ == "__main__":
    sys.exit(main())
