# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real ansible-playbook, told to say everything, says nothing secret; and a killed run's lease is over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

COLLECTIONS = Path(__file__).resolve().parents[4] / ".cache" / "collections"
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
CANARIES = {"password": "canary-pass\"w'0rd", "in_template": "canary-templ$te", "inline": "canary-inline"}

pytestmark = pytest.mark.skipif(not PLAYBOOK.exists(), reason="there is no ansible-playbook beside this Python")

ROLE = """
- name: The secrets
  selfhosted.lago.secrets:
    path: "{{ directory }}/secrets.json"
    given: {postgres_password: "{{ password }}"}
    organizations: 0
  register: made
  no_log: true
- name: The files
  selfhosted.lago.render:
    directory: "{{ directory }}"
    files:
      - {dest: a.env, template: a.env.j2, secret: true}
      - {dest: other.conf, template: other.conf.j2, secret: true, mode: "0400"}
      - {dest: inline.env, content: "{{ {'X': inline} | selfhosted.lago.env_file }}", secret: true}
      - {dest: plain.yml, content: "version: {{ release }}\\n", mode: "0644"}
  register: files
- name: A template that fails
  selfhosted.lago.render:
    directory: "{{ directory }}"
    files: [{dest: bad, template: bad.j2, secret: true}]
  ignore_errors: true
- name: All that was told
  ansible.builtin.debug: {var: files}
"""
TEMPLATES = {
    "a.env.j2": (
        "{{ {'P': password, 'T': in_template ~ release, 'S': made.secrets.secret_key_base}"
        " | selfhosted.lago.env_file }}"
    ),
    "other.conf.j2": "requirepass {{ password }} {{ made.file_key }} {{ release }}\n",
    "bad.j2": "{{ password }} {{ undefined_thing }}",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    role = tmp_path / "roles" / "r"
    (role / "tasks").mkdir(parents=True)
    (role / "templates").mkdir()
    (role / "tasks" / "main.yml").write_text(ROLE)
    for name, text in TEMPLATES.items():
        (role / "templates" / name).write_text(text)
    play = [{"hosts": "localhost", "gather_facts": False, "roles": ["r"]}]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    lease: dict[str, t.Any] = {"selfhosted.lago.lease": {"path": "{{ directory }}/lease.json"}}
    wait: dict[str, t.Any] = {"ansible.builtin.pause": {"seconds": "{{ wait }}"}}
    (tmp_path / "lease.yml").write_text(
        json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [lease, wait]}])
    )
    return tmp_path


def command(project: Path, playbook: str, *arguments: str, **variables: str) -> dict[str, t.Any]:
    """What to start: a run in its own session, whose log and temporary files stay in the project."""
    values = {
        "directory": str(project / "lago"),
        "release": "1",
        "ansible_python_interpreter": sys.executable,
        **variables,
    }
    (project / "vars.json").write_text(json.dumps({**CANARIES, **values}))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(project),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_LOG_PATH": str(project / "ansible.log"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true",
        "LC_ALL": "C.UTF-8",
    }
    line = [str(PLAYBOOK), "-i", "localhost,", "-c", "local", playbook, "-e", "@vars.json", *arguments]
    return {"args": line, "cwd": project, "env": environment}


def play(project: Path, *arguments: str, **variables: str) -> str:
    ran = subprocess.run(
        **command(project, "play.yml", "-vvv", "--diff", *arguments, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_nothing_secret_is_told_at_any_step(project: Path) -> None:
    told = [play(project, "--check")]
    assert not (project / "lago").exists()
    told.append(play(project))
    told.append(play(project))
    assert "changed=0" in told[-1]
    changed = {"in_template": "canary-other", "release": "2"}
    told += [play(project, "--check", **changed), play(project, **changed)]

    text = "\n".join([*told, (project / "ansible.log").read_text()])
    kept = json.loads((project / "lago" / "secrets.json").read_text())
    secrets = [*CANARIES.values(), "canary", *kept["secrets"].values(), kept["file_key"]]
    assert [secret for secret in secrets if secret in text] == []
    assert 'T="canary-other2"' in (project / "lago" / "a.env").read_text(), "the secrets are where they belong"
    assert "+T=******** (changed)" in told[-1]
    assert "-version: 1\n+version: 2" in told[-1]
    assert "In template bad.j2: 'undefined_thing' is undefined" in told[-1]


def run_beside(project: Path) -> str:
    ran = subprocess.run(**command(project, "lease.yml", "-v", wait="0"), capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def test_one_run_at_a_time_and_a_killed_one_is_over(project: Path) -> None:
    lease = project / "lago" / "lease.json"
    with subprocess.Popen(
        **command(project, "lease.yml", wait="60"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as first:
        try:
            deadline = time.monotonic() + 30
            while not lease.exists() and time.monotonic() < deadline:
                time.sleep(0.1)
            assert json.loads(lease.read_text())["pid"] == first.pid, "the process of the run, not of one of its tasks"
            refused = run_beside(project)
            assert "Another run works on this deployment" in refused
            assert f"process {first.pid}" in refused
        finally:
            os.killpg(first.pid, signal.SIGKILL)
    assert '"taken_over": true' in run_beside(project)
    assert json.loads(lease.read_text())["pid"] != first.pid


STACK = COLLECTIONS / "ansible_collections" / "selfhosted" / "lago" / "roles" / "stack"
SAYS = """
- name: What fails while another's Lago is taken over
  block:
    - ansible.builtin.command:
        argv: ["{{ ansible_playbook_python }}", -c, "import sys; sys.exit(sys.stdin.read())"]
        stdin: "{{ told }}"
      no_log: true
  rescue:
    - ansible.builtin.debug: {msg: "It said: {{ _lago_said }}"}
"""


def test_what_a_failed_task_said_is_told_without_the_secrets_of_the_lago_that_is_taken_over(project: Path) -> None:
    """Which are kept nowhere yet."""
    environments = {"api": {"SECRET_KEY_BASE": "canary-api"}, "db": {"POSTGRES_PASSWORD": "canary-db"}, "redis": {}}
    read = [
        {"name": f"lago-{kind}", "service": kind, "kind": kind, "state": "running", "image": "x:1", "ports": []}
        | {"environment": environment, "mounts": {}}
        for kind, environment in environments.items()
    ]
    adoptable = {"project": "lago", "rsa_file": None, "database": None, "redis": None, "containers": read}
    (project / "roles" / "r" / "tasks" / "main.yml").write_text(SAYS)
    files = [str(STACK / folder / "main.yml") for folder in ("defaults", "vars")]
    given = {"told": "canary-api and canary-db, refused", "__lago_adoptable": {"adoptable": adoptable}}
    played = {"hosts": "localhost", "gather_facts": False, "vars_files": files, "vars": given, "roles": ["r"]}
    (project / "play.yml").write_text(json.dumps([played]))
    told = play(project)
    assert "It said: ******** and ********, refused" in told
    assert "canary-api" not in told


@pytest.mark.parametrize(
    ("stuck", "ends"),
    [
        ({}, ["lago was not taken over: its containers run again, with all that was sent meanwhile."]),
        (
            {"__lago_adopt_stuck": {"failure": {"task": "It runs again", "text": "no such image"}}},
            [
                "lago was not taken over, and the way back failed too: It runs again",
                "  no such image",
                "Mend it and run the same again: that leads back first.",
            ],
        ),
    ],
)
def test_what_became_of_a_lago_that_is_not_taken_over_is_told_after_why(
    project: Path, stuck: dict[str, t.Any], ends: list[str]
) -> None:
    service = {"service": "proxy", "state": "restarting", "lines": ["no such option", "usage"]}
    failure = {"verb": "up", "task": "It runs", "text": "proxy is not healthy\nlook at it", "services": [service]}
    given = {"__lago_adopt_failed": {"failure": failure}, "lago_adopt_project": "lago", **stuck}
    told = [{"ansible.builtin.copy": {"dest": str(project / "told"), "content": "{{ _lago_adoption_refusal }}"}}]
    files = [str(STACK / "vars" / "main.yml")]
    played = {"hosts": "localhost", "gather_facts": False, "vars_files": files, "vars": given, "tasks": told}
    (project / "play.yml").write_text(json.dumps([played]))
    play(project)
    why = ["up: It runs", "  proxy is not healthy", "  look at it", "", "proxy (restarting) said last:", ""]
    assert (project / "told").read_text().splitlines() == [*why, "  no such option", "  usage", "", *ends]
