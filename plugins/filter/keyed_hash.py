# SPDX-License-Identifier: GPL-3.0-or-later
"""A fingerprint that tells nothing without its key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain

DOCUMENTATION = r"""
name: keyed_hash
short_description: A fingerprint of a text that tells nothing without its key
version_added: 0.1.0
description:
  - Returns the HMAC-SHA256 of a text in hexadecimal digits. It changes when the text does, so a container can carry it
    as a label and be made anew for a changed file. Unlike a plain hash, it does not let anyone test guesses of a secret
    in that file.
positional: key
options:
  _input:
    description: The text.
    type: str
    required: true
  key:
    description: The key, for instance RV(selfhosted.lago.secrets#module:file_key).
    type: str
    required: true
author:
  - The selfhosted.lago maintainers (@selfhosted)
"""

EXAMPLES = r"""
- name: Label a container with the fingerprint of its configuration
  ansible.builtin.debug:
    msg: "{{ content | selfhosted.lago.keyed_hash(__lago_secrets.file_key) }}"
  vars:
    content: "{{ lookup('ansible.builtin.template', 'queue.conf.j2') }}"
"""

RETURN = r"""
_value:
  description: 64 hexadecimal digits.
  type: str
"""


def keyed_hash(value: Any, key: str) -> str:
    """Return the HMAC-SHA256 of the text under the key, in hexadecimal digits."""
    value, key = plain(value), plain(key)
    if not isinstance(value, str):
        raise AnsibleFilterError(f"keyed_hash wants a text, not {type(value).__name__}.")
    if not isinstance(key, str) or not key:
        raise AnsibleFilterError("keyed_hash wants a key that is not empty.")
    return hmac.new(key.encode("utf-8"), value.encode("utf-8"), hashlib.sha256).hexdigest()


class FilterModule:
    """The filter of this file, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"keyed_hash": keyed_hash}
