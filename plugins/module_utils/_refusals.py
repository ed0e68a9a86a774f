# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What Lago's answers mean: data, or an error with its own sentence."""

from __future__ import annotations

import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._http import PASSING, Response

# By code. The names of module options in them are those of all modules of the collection.
SENTENCES = {
    "incorrect_login_or_password": (
        "Lago knows nobody with this email and password. Check email (upper and lower case differ) and password;"
        " was the password changed in the user interface, set password to the new one."
    ),
    "user_already_exists": "A user with this email exists already: log in with its password instead of registering.",
    "signup_disabled": (
        "Nobody with this email and password can log in, and sign-up is closed in this API. If the user exists, correct"
        " email or password; otherwise register through the role bootstrap, which never opens the running API."
    ),
    "login_method_not_authorized": (
        "The organization of this user allows no login with a password (single sign-on only): make an API key in the"
        " user interface and give it as api_key, or allow passwords again."
    ),
    "roles_not_seeded": (
        "Lago cannot register anybody because its roles are missing: run 'bundle exec rails roles:seed_predefined' in"
        " the API's image (the migration of the role stack does) and repeat. Nothing was registered."
    ),
    "feature_unavailable": (
        "Lago makes further API keys only with a premium licence: choose an existing key with name, or leave name out."
    ),
    "forbidden": "The user of email may not do this ({operation}): use an administrator of the organization.",
    "not_a_member": "The user of email is not a member of this organization: check organization and email.",
    "unauthorized": "Lago does not accept the session ({operation}): check email and password, then run again.",
    "expired_jwt_token": "The session expired ({operation}): run again.",
    "not_found": "Lago does not find what {operation} asks for: was it removed meanwhile? Run again.",
    "undefinedField": "This release of Lago does not know a field that {operation} asks for.",
    "undefinedType": "This release of Lago does not know a type that {operation} asks for.",
    "query_is_too_large": "The query of {operation} is too long for Lago.",
}

# Words that stand in the details of C(unprocessable_entity) and say more than it.
_TELLING = ("incorrect_login_or_password", "user_already_exists", "login_method_not_authorized")
_STATUSES = {"unauthorized": 401, "forbidden": 403}


def graphql_data(operation: str, url: str, response: Response) -> t.Any:
    """Return what I(operation) answered.

    :raises LagoError: with a code of L(SENTENCES), Lago's own code where it has no sentence here, or C(not_lago),
        C(redirected), C(unavailable), C(server_error), C(login_failed_on_server), C(roles_not_seeded).
    """
    body = response.json
    if response.status == 200 and isinstance(body, dict) and ("data" in body or "errors" in body):
        errors = body.get("errors")
        if errors:
            raise _refusal(operation, errors[0])
        data = (body["data"] or {}).get(operation)
        if data is not None:
            return data
    if response.status == 404 and isinstance(body, dict) and operation == "registerUser":
        raise LagoError(SENTENCES["roles_not_seeded"], "roles_not_seeded", 404, {"lago_code": body.get("code")})
    if response.status == 500 and operation == "loginUser":
        raise LagoError(
            "Lago failed (500) while logging in. That is no wrong password: is Redis running and reachable for the API"
            " (every login puts a job into it), and is the database migrated? The API's log tells.",
            "login_failed_on_server",
            500,
        )
    raise unusable(operation, url, response)


def _refusal(operation: str, error: dict[str, t.Any]) -> LagoError:
    """Turn one GraphQL error into ours. Its message and extensions may repeat the input, so little of them is kept."""
    extensions = error.get("extensions") or {}
    given = extensions.get("details")
    details: dict[str, t.Any] = given if isinstance(given, dict) else {}
    code = extensions.get("code") or "graphql_error"
    words = [word for words in details.values() for word in (words if isinstance(words, list) else [words])]
    if code == "unprocessable_entity":
        code = next((word for word in _TELLING if word in words), code)
    if error.get("message") == "expired_jwt_token":
        code = "expired_jwt_token"
    told = dict(details)
    for name in ("required_permissions", "typeName", "fieldName"):
        if name in extensions:
            told[name] = extensions[name]
    if code == "forbidden" and error.get("message") == "Missing organization id":
        code = "not_a_member"
    status = extensions.get("status")
    sentence = SENTENCES.get(code, "Lago refused {operation} ({code}): {words}.")
    return LagoError(
        sentence.format(operation=operation, code=code, words=", ".join(map(str, words)) or "no details given"),
        code,
        status if isinstance(status, int) else _STATUSES.get(str(status)),
        told,
    )


def rest_data(path: str, url: str, response: Response) -> dict[str, t.Any]:
    """Return what a REST path answered.

    :raises LagoError: C(key_refused), C(forbidden), or as L(graphql_data).
    """
    body = response.json
    if isinstance(body, dict):
        if response.status == 200:
            return body
        if response.status == 401:
            raise LagoError(
                "Lago does not accept the API key: it was rotated, expired, or is another deployment's.",
                "key_refused",
                401,
            )
        if response.status == 403:
            raise LagoError(
                f"The API key may not read {path}: give it the permission in the user interface, or use another key.",
                "forbidden",
                403,
                {"lago_code": body.get("code")},
            )
    raise unusable(path, url, response)


def unusable(what: str, url: str, response: Response) -> LagoError:
    """Return the error for an answer that is neither data nor a refusal."""
    status = response.status
    kind = response.headers.get("content-type", "no content type").split(";")[0]
    details = {"request": what, "content_type": kind}
    if status in PASSING:
        sentence = f"{url} answered {status} to {what}: the proxy does not reach the API. Is the API running?"
        return LagoError(sentence, "unavailable", status, details)
    if status >= 500:
        sentence = (
            f"Lago failed ({status}) at {what}: the API's log tells why. Are database (migrated?) and Redis well?"
        )
        return LagoError(sentence, "server_error", status, details)
    if 300 <= status < 400:
        target = response.headers.get("location", "")[:200]
        sentence = f"{url} redirects {what} to '{target}': set api_url to where Lago really is."
        return LagoError(sentence, "redirected", status, dict(details, location=target))
    sentence = (
        f"What answers at {url} is not Lago's API (HTTP {status}, {kind}, to {what}): is api_url right, and does the"
        " proxy hand /graphql, /health and /api/v1/ to the API?"
    )
    return LagoError(sentence, "not_lago", status, details)
