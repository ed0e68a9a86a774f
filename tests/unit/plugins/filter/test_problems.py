# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's preflight in a real ansible-playbook: all that is wrong in one block, and nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.selfhosted.lago.plugins.filter.problems import FilterModule

ROOT = Path(__file__).resolve().parents[4]
TABLE = yaml.safe_load((ROOT / "tests" / "refusals" / "table.yml").read_text(encoding="utf-8"))
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")

# What the server says, without asking this machine; all else is the collection itself.
READING = """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({
    "directory": {"type": "path"}, "project": {}, "images": {"type": "list", "elements": "str"},
    "ports": {"type": "list", "elements": "int"},
}, supports_check_mode=True)
module.exit_json(changed=False, server=SERVER)
"""
WRITING = """
from ansible.module_utils.basic import AnsibleModule
AnsibleModule({}).fail_json(msg="something was written")
"""
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Everything is judged
      ansible.builtin.include_role:
        name: selfhosted.lago.stack
        tasks_from: preflight
        rolespec_validate: false
      vars:
        _lago_roles: "{{ roles_to_come }}"
    - name: The run goes on
      ansible.builtin.copy: {dest: written, content: ""}
"""


def test_the_filters_are_these() -> None:
    assert sorted(FilterModule().filters()) == [
        "admin_problems",
        "adoption",
        "database_problems",
        "known_names",
        "name_problems",
        "outside_problems",
        "outside_warnings",
        "problem_report",
        "running_release",
        "server_problems",
        "setting_problems",
        "setting_warnings",
    ]


class Play:
    """A play on this machine, with the collection as it is but for its modules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        collection = folder / "collections" / "ansible_collections" / "selfhosted" / "lago"
        (collection / "plugins" / "modules").mkdir(parents=True)
        for name in ("roles", "meta", "galaxy.yml"):
            (collection / name).symlink_to(ROOT / name)
        for name in ("filter", "plugin_utils", "module_utils", "action", "doc_fragments"):
            (collection / "plugins" / name).symlink_to(ROOT / "plugins" / name)
        for path in (ROOT / "plugins" / "modules").glob("*.py"):
            (collection / "plugins" / "modules" / path.name).write_text(WRITING)
        self.modules = collection / "plugins" / "modules"
        (folder / "play.yml").write_text(PLAY)

    def run(
        self, variables: dict[str, t.Any], server: dict[str, t.Any], *roles: str
    ) -> subprocess.CompletedProcess[str]:
        (self.modules / "server_info.py").write_text(READING.replace("SERVER", repr({**TABLE["fit"], **server})))
        told = {"ansible_python_interpreter": sys.executable, "roles_to_come": roles or ["stack"], **variables}
        (self.folder / "vars.json").write_text(json.dumps(told))
        return subprocess.run(
            [PLAYBOOK, "-i", "localhost,", "-c", "local", "play.yml", "-e", "@vars.json", "-vvv"],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


pytestmark = pytest.mark.skipif(not PLAYBOOK.exists(), reason="there is no ansible-playbook beside this Python")


def now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_all_mistakes_are_one_block_and_nothing_was_written(play: Play) -> None:
    ran = play.run(
        {
            "lago_domian": "billing.example.com",  # and so there is no domain
            "lago_http_port": "http",
            "lago_encryption_primary_key": "",
            "lago_admin_password": "canary",
            "lago_redis_password": "canary of a good secret",
            "lago_directory": "/var/tmp/no-such-folder/lago",
        },
        {"time_utc": now(), "containers": {}, "files": None, "memory_mb": 1000},
        *("docker", "stack"),
    )
    assert ran.returncode != 0
    block = ran.stdout[ran.stdout.index("Nothing was changed on localhost.") :]
    asked = ["lago_domian", "lago_http_port", "lago_admin_password", "lago_domain", "lago_directory"]
    asked += ["lago_encryption_primary_key", "1000 MB"]
    lines = [line.strip(' ",') for line in block.splitlines()][1 : len(asked) + 1]
    assert [line.split(".")[0] for line in lines] == [str(number + 1) for number in range(len(asked))], ran.stdout
    assert [word for word, line in zip(asked, lines, strict=True) if word not in line] == []
    assert "canary" not in ran.stdout
    assert not Path("/var/tmp/no-such-folder").exists() and not (play.folder / "written").exists()
    assert "changed=0" in ran.stdout


def test_good_variables_go_on(play: Play) -> None:
    """Variables of a play with a role's in it: templates, one that is not known, and nothing that is not needed."""
    variables = {
        "customer": "ada",
        "lago_domain": "{{ customer }}.example.com",
        "lago_owner_of_this": "{{ not_defined_anywhere }}",
        "lago_postgres_password": "{{ 'canary' ~ customer }}",
    }
    ran = play.run(variables, {"time_utc": now(), "containers": {}, "files": None, "docker": None}, "docker", "stack")
    assert ran.returncode == 0, ran.stdout
    assert (play.folder / "written").exists()
    assert "canary" not in ran.stdout
