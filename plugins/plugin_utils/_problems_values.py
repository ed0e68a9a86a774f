# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How values are read: numbers, truth, sizes, releases, hosts. PRIVATE to the collection."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common import validation
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _problems_specs
from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain

_RELEASE = re.compile(r"v(\d+)\.(\d+)\.(\d+)\Z", re.ASCII)
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)\Z")
_SIZE = re.compile(r"(\d+)(b|k|kb|m|mb|g|gb)?\Z", re.IGNORECASE | re.ASCII)
_POWERS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3}
_SHOWN = 60


def _number(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    try:
        return int(validation.check_type_int(value))
    except ArithmeticError:  # 'inf' is a number, and no whole one
        raise ValueError from None


def _fraction(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(validation.check_type_float(value))


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError
    return str(value)


def _list(value: Any) -> list[Any]:
    # Ansible would split a text at its commas, but what the roles get is the text.
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return list(value)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return dict(value)


#: By the type that an argument spec names; any other type takes what comes.
_READERS = {
    "int": _number,
    "float": _fraction,
    "bool": validation.check_type_bool,
    "list": _list,
    "dict": _mapping,
    "str": _text,
    "path": _text,
}


def blank(value: object) -> bool:
    """Tell whether a value is none, or text without anything in it."""
    return value is None or (isinstance(value, str) and not value.strip())


def read(name: str, value: Any) -> Any:
    """Return the value of a variable as what its argument spec declares.

    :raises TypeError: or ``ValueError``, when it cannot be read as that.
    """
    option = _problems_specs.options()[name]
    if strange(option, value):
        raise ValueError
    reader = _READERS.get(option["type"])
    return reader(value) if reader else value


def strange(option: Mapping[str, Any], value: Any) -> list[Any]:
    """Return what is not among the choices of an argument spec: the value, or some of a list's."""
    many = option["type"] == "list" and isinstance(value, (list, tuple))
    return [one for one in (value if many else [value]) if "choices" in option and one not in option["choices"]]


def readable(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what can be judged further: known variables that are not blank and of their type."""
    found = {}
    for name, value in given.items():
        if name in _problems_specs.options() and not blank(value):
            try:
                found[name] = read(name, value)
            except (TypeError, ValueError):
                continue
    return found


def known(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables as plain values."""
    return {name: plain(value) for name, value in given.items()}


def shown(value: object) -> str:
    """Return a value that is no secret as a message may show it."""
    text = str(value)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f"'{text}'" if text.isprintable() else repr(text)


def release(version: object) -> tuple[int, int, int] | None:
    """``v1.51.0`` as ``(1, 51, 0)``; ``None`` for whatever is no release of Lago."""
    match = _RELEASE.match(str(version))
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def numbers(text: object) -> tuple[int, ...]:
    """Return the first three numbers of a version such as ``26.1.5+dfsg1``."""
    return tuple(int(part) for part in re.findall(r"\d+", str(text))[:3])


def megabytes(size: object) -> float | None:
    """Return a size such as ``512m`` in MiB; ``None`` for whatever is no size."""
    match = _SIZE.match(str(size))
    if match is None:
        return None
    unit = (match[2] or "").lower()
    return float(int(match[1]) * 1024.0 ** (_POWERS[unit[:1]] - 2))


def is_address(text: object) -> bool:
    """Tell whether a text is an IP address, without brackets."""
    try:
        ipaddress.ip_address(str(text))
    except ValueError:
        return False
    return True


def valid_host(host: str) -> bool:
    """A DNS name of letters, digits and hyphens, or an IP address."""
    if is_address(host):
        return True
    return (
        len(host) <= 253
        and all(_LABEL.match(label) for label in host.split("."))
        and not host.replace(".", "").isdigit()
    )
