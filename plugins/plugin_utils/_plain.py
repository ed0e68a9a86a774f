# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to this collection: may change or go without notice.
"""What ansible-core hands to plugins, as plain Python values."""

from __future__ import annotations

from typing import Any

from jinja2 import Undefined


def plain(value: Any) -> Any:
    """Return the value with a vaulted string decrypted, which is a type of its own before ansible-core 2.19.

    Raises Jinja's UndefinedError, which names the variable, for one that is not defined.
    """
    if isinstance(value, Undefined) or getattr(value, "__ENCRYPTED__", False):
        return str(value)
    return value
