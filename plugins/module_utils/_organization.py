# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Signing in, registering, and finding an organization among a user's own."""

from __future__ import annotations

import re
import time
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._client import LagoClient
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._refusals import SENTENCES

# After these nobody knows whether a registration happened.
_UNCERTAIN = ("no_answer", "unavailable", "server_error")
_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)+")
# What the front asks of a password (src/formValidation/zodCustoms.ts, v1.42.0 to v1.51.0 alike): to it a + is no
# special character. The API takes any, but one that breaks the rule cannot be changed there later.
_PASSWORD = {
    "8 characters": r".{8}",
    "a lower-case letter": r"[a-z]",
    "an upper-case letter": r"[A-Z]",
    "a digit": r"[0-9]",
    "a special character": r"[/_!@#$%^&*(),.?\":{}|<>-]",
}


def require(params: dict[str, t.Any], *names: str) -> None:
    """Refuse blank options before anything is sent: Lago answers them with 500.

    :raises LagoError: C(invalid_input), naming all of them.
    """
    blank = [name for name in names if not (params[name] or "").strip()]
    if blank:
        raise LagoError(f"Set {' and '.join(blank)}: blank is no value.", "invalid_input", details={"options": blank})


def weaknesses(password: str) -> list[str]:
    """Return what a password lacks that the front asks for."""
    return [what for what, pattern in _PASSWORD.items() if not re.search(pattern, password, re.DOTALL)]


def require_registrable(email: str, password: str) -> None:
    """Refuse what Lago would take at registration although nobody could work with it later.

    :raises LagoError: C(invalid_input), which tells the rule and not the password.
    """
    if not _EMAIL.fullmatch(email):
        raise LagoError(f"email '{email}' is no e-mail address.", "invalid_input", details={"options": ["email"]})
    missing = weaknesses(password)
    if missing:
        raise LagoError(
            f"password needs at least {', '.join(missing)}: with less the user interface could never change it.",
            "invalid_input",
            details={"options": ["password"], "missing": missing},
        )


def sign_in_or_register(client: LagoClient, email: str, password: str, name: str, check_mode: bool) -> bool:
    """Log in; when Lago knows nobody like that, register the user with the organization I(name).

    :returns: whether the user was registered (in check mode: would be; then nobody is logged in).
    :raises LagoError: what Lago refuses, or C(invalid_input).
    """
    try:
        client.login(email, password)
        return False
    except LagoError as error:
        if error.code != "incorrect_login_or_password":
            raise
    require_registrable(email, password)
    if check_mode:
        return True
    try:
        client.register(email, password, name)
    except LagoError as error:
        if error.code == "user_already_exists":
            raise _wrong_password(error) from None
        if error.code not in _UNCERTAIN:
            raise
        if not _logs_in(client, email, password):
            raise
    return True


def _wrong_password(error: LagoError) -> LagoError:
    code = "incorrect_login_or_password"
    return LagoError(SENTENCES[code], code, error.status, {"email": ["user_already_exists"]})


def _logs_in(client: LagoClient, email: str, password: str) -> bool:
    """Find out by logging in whether a registration without an answer happened: it may still be at work."""
    for wait in (0, 1, 3):
        time.sleep(wait)
        try:
            client.login(email, password)
            return True
        except LagoError as error:
            if error.code not in ("incorrect_login_or_password", "login_failed_on_server", *_UNCERTAIN):
                raise
    return False


def pick(organizations: list[dict[str, t.Any]], name: str | None) -> dict[str, t.Any]:
    """Return the one organization of that name, or the only one when I(name) is None.

    :raises LagoError: C(organization_not_found) or C(ambiguous_organization), both naming what there is.
    """
    names = sorted(one["name"] for one in organizations)
    found = [one for one in organizations if name is None or one["name"] == name]
    if len(found) == 1:
        return found[0]
    details = {"organizations": names}
    listed = ", ".join(f"'{one}'" for one in names) or "none"
    if found:
        which = "several organizations" if name is None else f"several organizations called '{name}'"
        raise LagoError(
            f"The user of email is a member of {which} ({listed}): rename them in the user interface, or log in"
            " as a user"
            " of only one of them.",
            "ambiguous_organization",
            details=details,
        )
    raise LagoError(
        f"The user of email is in no organization called '{name}' (found: {listed}). An organization that was"
        " renamed must"
        " be given the name it has now; Lago makes a further one only for a new user, so use another email for that.",
        "organization_not_found",
        details=details,
    )
