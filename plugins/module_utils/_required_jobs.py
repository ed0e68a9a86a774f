# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""A release's required jobs, at one look: begun if nobody began them, how far they are, gone when nobody needs them."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Answer, Machine

_LINES = 20


def look(module: AnsibleModule) -> dict[str, t.Any]:
    """Return C(running), C(exit_code), C(left), C(worker) and C(said).

    :raises LagoError: C(jobs_not_begun).
    """
    machine, asked = Machine(module), module.params
    name = f"{asked['project']}-jobs"
    if module.check_mode:
        return {"changed": True, "running": False, "exit_code": 0, "left": None, "worker": True, "said": ""}
    if asked["state"] == "absent":
        machine.run("docker", "rm", "--force", name)
        return {"changed": False}
    begun = False
    if _inspect(machine, name, "{{.Id}}") is None:
        begun = True
        answer = _begin(machine, asked, name)
        if answer.code != 0:
            raise LagoError(f"The jobs could not be begun: {answer.complaint}", "jobs_not_begun")
    state, _space, code = (_inspect(machine, name, "{{.State.Status}} {{.State.ExitCode}}") or "gone 1").partition(" ")
    logs = machine.run("docker", "logs", "--tail", str(_LINES), name)
    return {
        "changed": begun,
        "running": state not in ("exited", "dead", "gone"),
        "exit_code": int(code),
        "left": _left(machine, asked),
        "worker": _inspect(machine, f"{asked['project']}-worker-1", "{{.State.Status}}") == "running",
        "said": "\n".join((logs.output + logs.error).splitlines()[-_LINES:]),
    }


def _inspect(machine: Machine, name: str, row: str) -> str | None:
    answer = machine.run("docker", "container", "inspect", "--format", row, name)
    return answer.output.strip() if answer.code == 0 else None


def _begin(machine: Machine, asked: dict[str, t.Any], name: str) -> Answer:
    tasks = [word for job in asked["jobs"] for word in job.split()]
    where = ["--project-directory", asked["directory"], "--file", f"{asked['directory']}/compose.yml"]
    run = ["run", "--detach", "--no-deps", "--name", name, "migrate", "bundle", "exec", "rails", *tasks]
    return machine.run("docker", "compose", *where, *run)


def _left(machine: Machine, asked: dict[str, t.Any]) -> int | None:
    """Return how many rows have yet to be done, C(None) where the database cannot tell."""
    if not asked["left"]:
        return None
    psql = ["psql", "-XAt", "-U", asked["user"], "-d", asked["database"], "-c", asked["left"]]
    told = machine.run("docker", "exec", f"{asked['project']}-db-1", *psql).output.strip()
    return int(told) if told.isdigit() else None
