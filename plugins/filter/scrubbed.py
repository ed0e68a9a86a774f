# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of others without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.selfhosted.lago.plugins.module_utils._scrub import Scrubber
from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_specs import secret_values

DOCUMENTATION = r"""
name: scrubbed
short_description: A text without secrets
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Takes secrets out of a text that somebody else wrote, such as what a failed command said. Those that are known are
    found in whatever way they are written (JSON, URLs, base64), others by what stands before them.
options:
  _input:
    description: The text.
    type: str
    required: true
  secrets:
    description: The secrets that are known.
    type: list
    elements: str
    default: []
  settings:
    description: Variables of this collection. The values of those that are declared secret are known then, too.
    type: dict
    default: {}
positional: secrets, settings
"""

EXAMPLES = r"""
- name: Why it failed is told
  ansible.builtin.fail:
    msg: "{{ result.stderr | selfhosted.lago.scrubbed([password]) }}"
"""

RETURN = r"""
_value:
  description: The text with C(********) in the place of each secret.
  type: str
"""


def scrubbed(text: Any, secrets: Iterable[Any] = (), settings: Mapping[str, Any] | None = None) -> str:
    """Return the text without secrets."""
    known = [str(plain(secret)) for secret in secrets]
    return Scrubber([*known, *secret_values(settings or {})]).text(str(plain(text)))


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"scrubbed": scrubbed}
