# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures in the words of the real thing: a Ruby class, a message, and what caused it."""

from __future__ import annotations


class RubyError(Exception):
    """Something that ends a command, or a request with 500, as an exception of this Ruby class would."""

    def __init__(self, kind: str, message: str, cause: RubyError | None = None, status: int = 500) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.cause = cause
        self.status = status

    def lines(self) -> list[str]:
        """What Ruby prints: the class after the first line of the message, then the causes."""
        first, *rest = self.message.splitlines() or [""]
        out = [f"{self.kind}: {first} ({self.kind})", *(line for line in rest if line)]
        return out if self.cause is None else [*out, "Caused by:", *self.cause.lines()]


class Exit(Exception):
    """Ends the command at once, with a text on standard error and this status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


def not_found() -> RubyError:
    """A record that a request cannot do without is missing: answered 404, whatever was asked."""
    return RubyError("ActiveRecord::RecordNotFound", "Couldn't find the record", status=404)
