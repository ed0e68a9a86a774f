# SPDX-License-Identifier: GPL-3.0-or-later
"""Values on their way into containers: Compose environment files and literals of a compose file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# Compose's parser (compose-go, dotenv) reads a backslash pair in double quotes the same way in all its versions; in
# single quotes it does not. A line feed stays on one line, so that a file has one line for each variable.
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r"})


def _text(value: Any) -> str:
    """Return a scalar as the text a process shall see: booleans are `true` and `false`, as Lago compares them."""
    value = plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise AnsibleFilterError(f"An environment variable is a string, a number or a boolean, not {type(value).__name__}.")


def env_quote(value: Any) -> str:
    """Return the value, quoted so that Compose 2.20 and newer hand it to the process unchanged.

    Raises AnsibleFilterError, without the value, for what no process environment can hold.
    """
    text = _text(value)
    if "\0" in text:
        raise AnsibleFilterError("An environment variable cannot hold a NUL character.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise AnsibleFilterError("An environment variable has to be valid Unicode text.") from None
    return '"' + text.translate(_ESCAPES) + '"'


def env_file(variables: Mapping[str, Any], omit_blank: bool = False) -> str:
    """Return the text of an environment file: one line for each variable that is not None, sorted by name.

    :param omit_blank: Whether an empty text is left out too.
    """
    if not isinstance(variables, Mapping):
        raise AnsibleFilterError(f"env_file wants a dictionary of variables, not {type(variables).__name__}.")
    lines = []
    for name in sorted(variables):
        if not _NAME.match(name):
            raise AnsibleFilterError(f"{name!r} is no name of an environment variable.")
        value = variables[name]
        if value is None or (omit_blank and plain(value) == ""):
            continue
        try:
            lines.append(f"{name}={env_quote(value)}\n")
        except AnsibleFilterError as error:
            raise AnsibleFilterError(f"{name}: {error}") from None
    return "".join(lines)


def compose_literal(value: Any) -> Any:
    """Return the value with every `$` doubled, so that Compose does not interpolate it; containers are walked."""
    value = plain(value)
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: compose_literal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [compose_literal(item) for item in value]
    return value


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"env_quote": env_quote, "env_file": env_file, "compose_literal": compose_literal}
