# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Asks a database again where what hindered goes by: a healthy one is not to be refused because its server is busy."""

from __future__ import annotations

import re
import time
import typing as t

#: The exit status of a command, its output and its errors.
Told = tuple[int, str, str]

#: Docker is too busy to begin a command; the database just starts, has no place free or waits itself.
_GOES_BY = re.compile(
    r"OCI runtime exec failed|did not answer within|accepting connections on that|starting up|shutting down|"
    r"recovery mode|too many clients|connection slots|canceling statement due to",
    re.IGNORECASE,
)
#: Seconds before it is asked again, and those after the first question in which it is.
_PAUSES, _PATIENCE = (1, 2), 30


def patiently(ask: t.Callable[[], Told]) -> Told:
    """Return what I(ask) is told in the end; it is called again where what hindered goes by, or nothing was said."""
    began, pauses = time.monotonic(), list(_PAUSES)
    while True:
        code, output, errors = ask()
        if code and not errors.strip():  # what keeps a command from being begun may be said on either stream
            output, errors = "", output
        again = not output.strip() and (not errors.strip() or _GOES_BY.search(errors))
        if not again or not pauses or time.monotonic() - began > _PATIENCE:
            return code, output, errors
        time.sleep(pauses.pop(0))
