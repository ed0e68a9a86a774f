# SPDX-License-Identifier: GPL-3.0-or-later
"""Two servers of one play that work on one database: what the one stores in a volume the other does not find."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from project import BIN, ROOT, environment

sys.path.insert(0, str(ROOT / "tests" / "tools"))

import older_core

PREFLIGHT = """---
- hosts: all
  become: true
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: selfhosted.lago.stack, tasks_from: preflight}
"""
SHARED = {"lago_postgres_host": "db.example.com"}


def said(directory: Path, core: str, *servers: dict[str, t.Any]) -> str:
    """Return what the preflight of a play says to servers with these variables."""
    programs = BIN if core == "newest" else older_core.make(core) / "bin"
    common = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = {"all": {"hosts": {f"billing-{n}": {**common, **own} for n, own in enumerate(servers)}}}
    (directory / "inventory.json").write_text(json.dumps(inventory))
    (directory / "preflight.yml").write_text(PREFLIGHT)
    command = [str(programs / "ansible-playbook"), "-i", "inventory.json", "preflight.yml"]
    done = subprocess.run(
        command, cwd=directory, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0, "no domain is given: it is always refused"
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("core", [older_core.CORE, "newest"])
def test_storage_is_demanded_that_all_of_them_reach(tmp_path: Path, core: str) -> None:
    words = said(tmp_path, core, SHARED, {**SHARED, "lago_postgres_database": "lago"})
    assert "lago_storage is local, and billing-1 works on the same database" in words
    assert "lago_storage is local, and billing-0 works on the same database" in words


def test_servers_with_databases_of_their_own_may_keep_files_of_their_own(tmp_path: Path) -> None:
    words = said(tmp_path, "newest", SHARED, {**SHARED, "lago_postgres_database": "another"}, {}, {})
    assert "works on the same database" not in words
