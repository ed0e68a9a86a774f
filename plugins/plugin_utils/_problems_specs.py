# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles declare: the variables there are, and of which type. PRIVATE to the collection.

Read from the roles' own argument specs, so that a new variable is known here without being named twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.selfhosted.lago.plugins.module_utils._scrub import of_url
from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain

Option = Mapping[str, Any]

_ROLES = Path(__file__).resolve().parents[2] / "roles"
#: Facts that a role sets for the tasks that follow it.
OUTPUTS = frozenset({"lago_api_key", "lago_organization"})


@lru_cache(maxsize=1)
def _specs() -> dict[str, dict[str, Any]]:
    """Return the entry points of each role."""
    specs = {}
    for path in sorted(_ROLES.glob("*/meta/argument_specs.yml")):
        specs[path.parents[1].name] = yaml_load(path.read_text(encoding="utf-8"))["argument_specs"]
    return specs


@lru_cache(maxsize=1)
def options() -> dict[str, Option]:
    """Return every variable that a role knows, by name."""
    known: dict[str, Option] = {}
    for entries in _specs().values():
        for entry in entries.values():
            for name, option in (entry.get("options") or {}).items():
                known.setdefault(name, option)
    return known


def secrets() -> list[str]:
    """Return the variables that are a secret each, as declared."""
    return [name for name, option in options().items() if option.get("no_log") and option["type"] == "str"]


def secret_values(settings: Mapping[str, Any]) -> list[str]:
    """Return every text and number in the variables that are declared secret, and the passwords in URLs."""
    given = [value for name, value in settings.items() if options().get(name, {}).get("no_log")]
    found = list(_texts(given))
    return [*found, *(part for value in found for part in of_url(value))]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, (Mapping, list)):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)
    elif value is not None:
        yield str(plain(value))


def required(roles: Iterable[str]) -> dict[str, Option]:
    """Return the variables that the roles cannot do without, by name."""
    entries = [_specs()[role]["main"] for role in roles if role in _specs()]
    return {
        name: option
        for entry in entries
        for name, option in (entry.get("options") or {}).items()
        if option.get("required")
    }
