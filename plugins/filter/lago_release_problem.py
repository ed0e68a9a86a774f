# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases of Lago may be deployed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

DOCUMENTATION = r"""
name: lago_release_problem
short_description: Why a release of Lago cannot be deployed
version_added: 0.1.0
description:
  - Returns an empty string for a release that can be deployed, otherwise a sentence that says what is wrong and what
    to do.
positional: first_install
options:
  _input:
    description: The release, for instance V(v1.51.0).
    type: str
    required: true
  first_install:
    description: Whether nothing of Lago is there yet. Older releases are known as starting points of an upgrade only.
    type: bool
    default: true
author:
  - The selfhosted.lago maintainers (@selfhosted)
"""

EXAMPLES = r"""
- name: Refuse a release that does not work
  ansible.builtin.assert:
    that: (lago_version | selfhosted.lago.lago_release_problem) == ''
    fail_msg: "{{ lago_version | selfhosted.lago.lago_release_problem }}"
"""

RETURN = r"""
_value:
  description: A sentence, or an empty string.
  type: str
"""

_RELEASE = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
_OLDEST = (1, 42, 0)
# Their migrations forget the predefined roles: every registration is answered with 404.
_WITHOUT_ROLES = ((1, 40, 0), (1, 41, 1))


def lago_release_problem(version: Any, first_install: bool = True) -> str:
    """Return a sentence that tells why the release cannot be deployed, or an empty string when it can."""
    match = _RELEASE.fullmatch(version) if isinstance(version, str) else None
    if match is None:
        return (
            f"{version!r} is not a release of Lago: name one in full, as v1.51.0. "
            "A moving tag would change under a deployment."
        )
    numbers = tuple(int(number) for number in match.groups())
    if _WITHOUT_ROLES[0] <= numbers <= _WITHOUT_ROLES[1]:
        return (
            f"Lago {version} does not seed the roles that a registration needs (v1.40.0 to v1.41.1 do not): "
            "take v1.42.0 or a newer release."
        )
    if first_install and numbers < _OLDEST:
        return f"Lago {version} is too old for a first installation: take v1.42.0 or a newer release."
    return ""


class FilterModule:
    """The filter of this file, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"lago_release_problem": lago_release_problem}
