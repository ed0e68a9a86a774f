# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""How a server is read: commands with a time limit, and files under one root."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

#: Seconds after which a command that does not answer is ended; a daemon that hangs must not hang the run.
COMMAND_TIMEOUT = 20
#: What C(timeout) and we ourselves answer for a command that was ended, and for one that is not there.
TIMED_OUT = 124
NOT_FOUND = 127


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    output: str
    error: str

    @property
    def complaint(self) -> str:
        """The last line of what it said on its error output: the one that names the reason."""
        lines = [line.strip() for line in self.error.splitlines() if line.strip()]
        return lines[-1] if lines else ""


class Machine:
    """The machine the module runs on.

    :param module: runs the commands.
    :param root: where its files begin; another one than C(/) is for tests.
    """

    def __init__(self, module: AnsibleModule, root: str = "/") -> None:
        self._module = module
        self._root = Path(root)
        self._programs: dict[str, str | None] = {}

    def has(self, program: str) -> bool:
        """Tell whether I(program) is on the path."""
        return self._find(program) is not None

    def run(self, program: str, *arguments: str, seconds: int = COMMAND_TIMEOUT) -> Answer:
        """Run I(program) and return its answer; one that is not there or hangs answers with a code too.

        :param seconds: after which it is ended.
        """
        path = self._find(program)
        if path is None:
            return Answer(NOT_FOUND, "", f"{program} is not on the path")
        limit = self._find("timeout")
        prefix = [limit, "-k", "2", str(seconds)] if limit else []
        code, output, error = self._module.run_command([*prefix, path, *arguments])
        if code == TIMED_OUT and limit:
            error = f"{program} {arguments[0] if arguments else ''} did not answer within {seconds} s"
        return Answer(code, output, error)

    def list(self, program: str, *arguments: str) -> str:
        """Return what I(program) lists.

        :raises LagoError: C(not_listed) when it does not: nobody may take silence for an empty list.
        """
        answer = self.run(program, *arguments)
        if answer.code:
            raise not_listed(program, arguments, answer)
        return answer.output

    def path(self, path: str) -> Path:
        """Return where I(path), an absolute one, is."""
        return self._root / path.lstrip("/")

    def text(self, path: str) -> str | None:
        """Return the text of a file, or C(None) when it cannot be read."""
        try:
            return self.path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def json(self, path: str) -> t.Any:
        """Return what a JSON file holds, or C(None) when there is none or it is not JSON."""
        return parsed(self.text(path))

    def exists(self, path: str) -> bool:
        """Tell whether there is a file."""
        try:
            return self.path(path).is_file()
        except OSError:
            return False

    def is_directory(self, path: str) -> bool:
        """Tell whether there is a directory."""
        try:
            return self.path(path).is_dir()
        except OSError:
            return False

    def touched(self, path: str) -> int | None:
        """Return when a file was last put into a directory or taken out, in ns; C(None) where there is none."""
        try:
            return self.path(path).stat().st_mtime_ns
        except OSError:
            return None

    def _find(self, program: str) -> str | None:
        if program not in self._programs:
            self._programs[program] = self._module.get_bin_path(program)
        return self._programs[program]


def not_listed(program: str, arguments: t.Sequence[str], answer: Answer) -> LagoError:
    """Return the error of a command that did not say what there is."""
    what, reason = " ".join([program, *arguments[:2]]), answer.complaint or f"it ended with exit code {answer.code}"
    return LagoError(
        f"What is on the server is not known, '{what}' did not tell ({reason}): see to its load and to "
        "'journalctl -u docker', and run again.",
        "not_listed",
        details={"command": what, "reason": reason},
    )


def objects(text: str) -> list[dict[str, t.Any]]:
    """Return the JSON objects of a text, one a line; lines that are none are left out."""
    return [value for value in map(parsed, text.splitlines()) if isinstance(value, dict)]


def parsed(text: str | None) -> t.Any:
    """Return what I(text) says in JSON, or C(None)."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
