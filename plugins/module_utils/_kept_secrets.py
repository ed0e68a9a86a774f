# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""The secrets that a deployment has on its server, whoever gave or made them, read where they are used."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._scrub import HIDDEN, of_url
from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Machine

# Variables whose values are no secret. All others are, whatever they are called: a person may add any.
_OPEN = re.compile(
    r"RAILS_ENV|APP_ENV|HOME|PGDATA|API_URL|POSTGRES_(DB|USER)|RAILS_LOG_\w+|LAGO_(API|FRONT|PDF|OAUTH_PROXY)_URL"
    r"|LAGO_DISABLE_\w+|\w+_(HOST|PORT|REGION|ADDRESS|DOMAIN|POOL|CONCURRENCY|THREADS|ENABLED|TIMEOUT|LEVEL|BUCKET)"
)
_LINE = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="(.*)"\Z')
_ESCAPED = re.compile(r"\\(.)")
_CHARACTERS = {"n": "\n", "r": "\r"}
#: A value that is hidden and shorter than this is a switch or a number rather than a secret.
_SHORTEST = 8
_CERTAINLY = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|AUTH")


def environment(text: str) -> dict[str, str]:
    """Return the variables of an environment file of ours."""
    found = (_LINE.match(line) for line in text.splitlines())
    return {match.group(1): _plain(match.group(2)) for match in found if match}


def _plain(quoted: str) -> str:
    return _ESCAPED.sub(lambda match: _CHARACTERS.get(match.group(1), match.group(1)), quoted)


def masked(text: str) -> str:
    """Return an environment file with the values of all variables hidden that are not known to be no secret."""
    lines = []
    for line in text.splitlines():
        match = _LINE.match(line)
        hidden = match and not _OPEN.fullmatch(match.group(1))
        lines.append(f'{match.group(1)}="{HIDDEN}"' if match and hidden else line)
    return "\n".join(lines) + "\n"


def files(machine: Machine, directory: str) -> dict[str, str]:
    """Return the texts of a deployment's environment files by their names."""
    try:
        found = sorted(machine.path(f"{directory}/env").glob("*.env"))
    except OSError:
        return {}
    texts = ((path.name, machine.text(f"{directory}/env/{path.name}")) for path in found)
    return {name: text for name, text in texts if text is not None}


def secrets(machine: Machine, directory: str) -> set[str]:
    """Return every secret value that is kept in a deployment's directory, passwords within URLs too."""
    found = set(_of_json(machine, f"{directory}/secrets.json"))
    found.update(_of_json(machine, f"{directory}/api_key.json"))
    for text in files(machine, directory).values():
        for name, value in environment(text).items():
            if not _OPEN.fullmatch(name) and (len(value) >= _SHORTEST or _CERTAINLY.search(name)):
                found.update((value, *of_url(value)))
    return {value for value in found if value}


def _of_json(machine: Machine, path: str) -> t.Iterator[str]:
    kept = machine.json(path)
    if not isinstance(kept, dict):
        return
    values = dict(kept.get("secrets") or {}, file_key=kept.get("file_key"), api_key=kept.get("api_key"))
    yield from (value for value in values.values() if isinstance(value, str))
