# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What may be shown of a change to a file: everything of a plain one, names only of a secret one."""

from __future__ import annotations

import re

from ansible_collections.selfhosted.lago.plugins.module_utils._files import Attributes
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import CHANGED, HIDDEN

_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def file_diff(
    path: str,
    secret: bool,
    before: tuple[bytes | None, Attributes | None],
    after: tuple[bytes | None, Attributes | None],
) -> dict[str, str]:
    """Return one entry of a module's C(diff).

    :param secret: whether the content must not be shown.
    :param before: the content and the attributes that were there, None for what was not.
    :param after: those that are wanted.
    """
    texts = _texts(path, secret, before[0], after[0])
    if before[0] == after[0]:
        texts = tuple("" if side is None else f"{side}\n" for side in (before[1], after[1]))
    return {
        "before_header": f"{path} ({before[1] or 'absent'})",
        "after_header": f"{path} ({after[1] or 'absent'})",
        "before": texts[0],
        "after": texts[1],
    }


def _texts(path: str, secret: bool, before: bytes | None, after: bytes | None) -> tuple[str, ...]:
    if not secret:
        return tuple("" if side is None else side.decode("utf-8", "replace") for side in (before, after))
    if path.endswith(".env"):
        return _names(before, {}), _names(after, _variables(before))
    return (
        "" if before is None else "(content not shown)\n",
        "" if after is None else "(content not shown)\n" if before is None else "(other content, not shown)\n",
    )


def _variables(content: bytes | None) -> dict[str, str]:
    """Return the variables of an environment file that has one line for each."""
    lines = (_VARIABLE.fullmatch(line) for line in (content or b"").decode("utf-8", "replace").split("\n"))
    return {match[1]: match[2] for match in lines if match}


def _names(content: bytes | None, others: dict[str, str]) -> str:
    """Return a line for each variable, marked where another value stands in I(others)."""
    return "".join(
        f"{name}={HIDDEN if others.get(name, value) == value else CHANGED}\n"
        for name, value in _variables(content).items()
    )
