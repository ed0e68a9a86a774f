# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What somebody who helps needs to see of a deployment, without secrets."""

from __future__ import annotations

import json
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _kept_secrets, _server_project, _service_logs
from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import COMMAND_TIMEOUT, Machine

#: Files that hold no secret; environment files are masked besides, all others are left out.
_CONFIGURATION = ("compose.yml", "proxy/Caddyfile", "migrated.json", "lease.json")
_COMMANDS = {
    "docker/version.txt": ("docker", "version"),
    "docker/info.txt": ("docker", "info"),
    "docker/df.txt": ("docker", "system", "df"),
    "server/df.txt": ("df", "-h"),
    "server/free.txt": ("free", "-m"),
    "server/uptime.txt": ("uptime",),
    "server/os-release.txt": ("cat", "/etc/os-release"),
}
#: Lago's report starts all of Lago, which takes a small server a minute and more. It is ended in the container too.
_DIAGNOSTICS = ("timeout", "-k", "5", "180", "bundle", "exec", "rails", "lago:diagnostics")
_DIAGNOSTICS_SECONDS = 200
_STATS = ("docker", "stats", "--no-stream", "--format", "table {{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.PIDs}}")


def collect(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the result of the module C(support_bundle): texts by the names of the bundle's files."""
    machine, params = Machine(module), module.params
    project, directory = params["project"], params["directory"] or "/opt/" + params["project"]
    scrub = _service_logs.scrubber(machine, directory, params["hide"])
    texts = {f"facts/{name}.json": _json(value) for name, value in params["facts"].items()}
    texts.update(_configuration(machine, directory))
    for name, command in _COMMANDS.items():
        texts[name] = _said(machine, *command)
    containers = _service_logs.containers(machine, project)
    texts["docker/containers.json"] = _json(containers)
    running = [container["name"] for container in containers if container["state"] == "running"]
    if running:
        texts["docker/stats.txt"] = _said(machine, *_STATS, *running)
    texts["lago/diagnostics.txt"] = _diagnostics(machine, containers)
    for service in _service_logs.logs(machine, project, params["lines"], scrub, everything=True):
        texts[f"logs/{service['name']}.log"] = "\n".join(service["lines"]) + "\n"
    return {"changed": False, "files": {name: scrub.text(text) for name, text in texts.items()}}


def _configuration(machine: Machine, directory: str) -> dict[str, str]:
    found = ((name, machine.text(f"{directory}/{name}")) for name in _CONFIGURATION)
    texts = {f"configuration/{name}": text for name, text in found if text is not None}
    for name, text in _kept_secrets.files(machine, directory).items():
        texts[f"configuration/env/{name}"] = _kept_secrets.masked(text)
    return texts


def _diagnostics(machine: Machine, containers: list[dict[str, t.Any]]) -> str:
    """Return Lago's own report, which shows no secret."""
    api = _server_project.running(containers, "api")
    if api is None:
        return "The API does not run, so Lago cannot be asked.\n"
    return _said(machine, "docker", "exec", api, *_DIAGNOSTICS, seconds=_DIAGNOSTICS_SECONDS)


def _said(machine: Machine, program: str, *arguments: str, seconds: int = COMMAND_TIMEOUT) -> str:
    answer = machine.run(program, *arguments, seconds=seconds)
    code = f"(exit code {answer.code})\n" if answer.code else ""
    return f"{answer.output}{answer.error}{code}"


def _json(value: t.Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
