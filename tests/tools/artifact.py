# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection, installs the tarball as a user would, and asks it for the documentation of all it holds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from project import BIN, CACHE, NAME, ROOT, copy, environment, files, installed_collections, run

BUILD = CACHE / "build"
SOURCE = BUILD / "source"
INSTALLED = BUILD / "installed"
MEANT_FOR_USERS = {
    "CHANGELOG.md",
    "COPYING",
    "FILES.json",
    "MANIFEST.json",
    "README.md",
    "docs",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}


class ArtifactError(Exception):
    """What is wrong with the artifact, in a sentence."""


def build() -> Path:
    """Build from what git knows, so that nothing that lies about gets in, and return the tarball."""
    for tarball in BUILD.glob("*.tar.gz"):
        tarball.unlink()
    copy(SOURCE, files())
    run(BIN / "ansible-galaxy", "collection", "build", "--output-path", BUILD, cwd=SOURCE)
    (tarball,) = BUILD.glob("*.tar.gz")
    return tarball


def strangers(tarball: Path) -> list[str]:
    """Return what is in the tarball at its top and not meant for users."""
    with tarfile.open(tarball) as tar:
        return sorted({name.split("/")[0] for name in tar.getnames()} - MEANT_FOR_USERS)


def install(tarball: Path) -> dict[str, str]:
    """Install the tarball beside the collections that it depends on; return an environment that sees nothing else."""
    shutil.rmtree(INSTALLED, ignore_errors=True)
    where = ["--collections-path", str(INSTALLED), "--offline", "--no-deps"]
    env = environment(ANSIBLE_COLLECTIONS_PATH=str(INSTALLED), ANSIBLE_LOCALHOST_WARNING="false")
    run(BIN / "ansible-galaxy", "collection", "install", tarball, *where, cwd=BUILD, env=env)
    (INSTALLED / "ansible_collections" / "community").symlink_to(installed_collections() / "community")
    return env


def installed(*parts: str) -> Path:
    return INSTALLED.joinpath("ansible_collections", *NAME.split("."), *parts)


def docs(env: dict[str, str], kind: str, *names: str) -> dict[str, dict[str, object]]:
    """Return what ansible-doc tells of these plugins or roles; it is an error if it complains of the collection."""
    command = [str(BIN / "ansible-doc"), "--json", "--type", kind, *names]
    asked = subprocess.run(command, cwd=BUILD, env=env, capture_output=True, text=True, check=False)
    if asked.returncode or NAME.replace(".", "/") in asked.stderr or NAME in asked.stderr:
        raise ArtifactError(
            f"ansible-doc --type {kind} {' '.join(names)}: {asked.stderr.strip() or asked.stdout.strip()}"
        )
    told: dict[str, dict[str, object]] = json.loads(asked.stdout)
    return told


def plugin_problems(env: dict[str, str], kind: str) -> Iterator[str]:
    """Yield every plugin of the kind that has no documentation, or lacks a part of it."""
    names = sorted(docs(env, kind, "--list", NAME))
    told = docs(env, kind, *names) if names else {}
    for name in names:
        missing = [part for part in ("doc", "examples", "return") if not told.get(name, {}).get(part)]
        if missing:
            yield f"{kind} {name}: no {', '.join(missing)}"
    print(f"{kind}: {len(names)} there")


def role_problems(env: dict[str, str]) -> Iterator[str]:
    """Yield every entry point that ansible-doc does not tell of."""
    for role in sorted(path.name for path in installed("roles").glob("[!.]*")):
        specs = yaml.safe_load((installed("roles", role) / "meta" / "argument_specs.yml").read_text())["argument_specs"]
        told = docs(env, "role", f"{NAME}.{role}").get(f"{NAME}.{role}", {})
        entry_points = told.get("entry_points", {})
        assert isinstance(entry_points, dict)
        yield from (f"role {role}: no entry point {name}" for name in specs if name not in entry_points)
        print(f"role {role}: {len(entry_points)} entry points documented")


def main() -> int:
    """Build, install, ask; return 1 with every problem said."""
    tarball = build()
    problems = [f"{name} is in the tarball: build_ignore in galaxy.yml lacks it" for name in strangers(tarball)]
    env = install(tarball)
    try:
        problems += plugin_problems(env, "module")
        problems += plugin_problems(env, "filter")
        problems += role_problems(env)
    except ArtifactError as error:
        problems.append(str(error))
    for playbook in sorted(installed("playbooks").glob("*.yml")):
        run(BIN / "ansible-playbook", "--syntax-check", f"{NAME}.{playbook.stem}", cwd=BUILD, env=env)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if not problems:
        print(f"{tarball.relative_to(ROOT)} installs, and everything in it is documented.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
