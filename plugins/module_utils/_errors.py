# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""The one error of the collection: a sentence for people, a code and details for programs."""

from __future__ import annotations

import typing as t


class LagoError(Exception):
    """Something that a user can act upon.

    :param message: one sentence that says what is wrong and what to do next; never holds a secret.
    :param code: a short name for programs, for instance C(incorrect_login_or_password).
    :param status: the HTTP status that was answered, when there was one.
    :param details: further facts as plain data; never holds a secret.
    """

    def __init__(
        self,
        message: str,
        code: str,
        status: int | None = None,
        details: dict[str, t.Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.details: dict[str, t.Any] = dict(details or {})

    def as_failure(self) -> dict[str, t.Any]:
        """Return what modules put into C(failure)."""
        return {"code": self.code, "status": self.status, "details": self.details}
