# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployment for all stories, made by an earlier release of this collection."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from outside.deployment import ROOT
from outside.lifecycle import Lifecycle

#: The collection as it was before it knew of upgrades.
EARLIER = "ea49e8d35a4ccb56456e35a64856ce5ca1e9e224"


@pytest.fixture(scope="session")
def lago() -> Lifecycle:
    return Lifecycle("testbed-upgrade", Path(__file__).parents[1], "v1.42.0")


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path of collections with the earlier one, built as it was published."""
    folder = tmp_path_factory.mktemp("earlier")
    source, built = folder / "source", folder / "built"
    source.mkdir()
    archive = subprocess.run(["git", "archive", EARLIER], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True)
    galaxy = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection"]
    subprocess.run([*galaxy, "build", str(source), "--output-path", str(built)], check=True)
    (tarball,) = built.glob("*.tar.gz")
    install = [*galaxy, "install", str(tarball), "-p", str(folder), "--no-deps", "--offline"]
    # It would take today's, were it to see it, for installed.
    subprocess.run(install, env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder)}, check=True)
    return folder
