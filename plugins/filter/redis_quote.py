# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value in Redis' own configuration file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: redis_quote
short_description: Quotes a value for a Redis configuration file
version_added: 0.1.0
description:
  - Returns the value in double quotes, so that Redis reads it unchanged whatever characters it has.
  - Everything but letters and digits of ASCII is written as C(\xHH), byte by byte.
options:
  _input:
    description: The value.
    type: str
    required: true
author:
  - The selfhosted.lago maintainers (@selfhosted)
"""

EXAMPLES = r"""
- name: Show a line of redis.conf
  ansible.builtin.debug:
    msg: "requirepass {{ 'a \"quoted\" word' | selfhosted.lago.redis_quote }}"
"""

RETURN = r"""
_value:
  description: The quoted value.
  type: str
"""


def redis_quote(value: Any) -> str:
    """Return the value in double quotes. Source: sdssplitargs of Redis, which reads ``\\xHH`` within double quotes."""
    if not isinstance(value, str):
        raise AnsibleFilterError(f"redis_quote wants a text, not {type(value).__name__}.")
    plain = (chr(byte) if byte < 128 and chr(byte).isalnum() else f"\\x{byte:02x}" for byte in value.encode("utf-8"))
    return '"' + "".join(plain) + '"'


class FilterModule:
    """The filter of this file, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"redis_quote": redis_quote}
