# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What the containers of a deployment said last, without secrets."""

from __future__ import annotations

import re
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _kept_secrets, _server_project
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._scrub import Scrubber
from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Machine

_SHOWN = ("service", "name", "state", "health", "exit_code", "restarts")
_LONGEST_LINE = 500
#: A line of a Ruby backtrace, behind its time: dozens of them follow the one line that says what is wrong.
_FRAME = re.compile(r"\S+\s+(from )?(\S+:\d+:in [`'][^']*'|\.\.\. \d+ levels\.\.\.)\s*")
_MOST_FRAMES = 300
#: The exit codes of a process that ended by itself, or on C(TERM).
_ASKED_TO_END = (0, 143)


def scrubber(machine: Machine, directory: str, more: t.Iterable[str | None]) -> Scrubber:
    """Return what knows the secrets of the deployment in the directory, and more."""
    return Scrubber([*_kept_secrets.secrets(machine, directory), *(value for value in more if value)])


def well(container: dict[str, t.Any]) -> bool:
    """Tell whether a container is as it should be."""
    if container["state"] == "running":
        return container["health"] in (None, "healthy")
    return bool(container["oneoff"] and container["state"] == "exited" and container["exit_code"] == 0)


def _stopped(container: dict[str, t.Any]) -> bool:
    """Tell whether a container was not started yet, or ended when it was asked to: it has nothing to say."""
    return container["state"] == "created" or (
        container["state"] == "exited" and container["exit_code"] in _ASKED_TO_END
    )


def containers(machine: Machine, project: str) -> list[dict[str, t.Any]]:
    """Return the project's containers; none where Docker does not list them, since all else is to be told then too."""
    try:
        return _server_project.containers(machine, project)
    except LagoError:
        return []


def logs(machine: Machine, project: str, lines: int, scrub: Scrubber, everything: bool) -> list[dict[str, t.Any]]:
    """Return the project's containers with the last lines of each, those that are well only if everything is wanted.

    :param everything: whether what is wanted is the log as it is; otherwise Ruby's backtraces are left out.
    """
    return [
        {
            **{key: container[key] for key in _SHOWN},
            "lines": _lines(machine, container["id"], lines, scrub, everything)
            if everything or not _stopped(container)
            else [],
        }
        for container in containers(machine, project)
        if everything or not well(container)
    ]


def _lines(machine: Machine, container: str, lines: int, scrub: Scrubber, everything: bool) -> list[str]:
    asked = lines if everything else lines + _MOST_FRAMES
    answer = machine.run("docker", "logs", "--timestamps", "--tail", str(asked), container)
    # Either stream in its own order; the time at the beginning of each line puts them into one
    said = sorted([*answer.output.splitlines(), *answer.error.splitlines()])
    said = [line for line in said if everything or not _FRAME.fullmatch(line)][-lines:] if lines else []
    # As a whole, since a secret may have lines
    return [line[:_LONGEST_LINE] for line in scrub.text("\n".join(said)).splitlines()]


def explain(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the result of the module C(explain_failure)."""
    machine, params = Machine(module), module.params
    directory = params["directory"] or "/opt/" + params["project"]
    scrub = scrubber(machine, directory, params["hide"])
    services = logs(machine, params["project"], params["lines"], scrub, everything=False)
    return {"changed": False, "services": services, "texts": [scrub.text(text) for text in params["texts"]]}
