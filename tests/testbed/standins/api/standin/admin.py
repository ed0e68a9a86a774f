# SPDX-License-Identifier: GPL-3.0-or-later
"""`POST /admin/organizations`: makes an organization and an invitation, as often as it is asked."""

from __future__ import annotations

import hmac
import secrets

from standin import accounts, database
from standin.failures import RubyError
from standin.http_types import Request, Response
from standin.settings import env, present


def answer(request: Request) -> Response:
    given = request.headers.get("x-admin-api-key", "")
    if not present("ADMIN_API_KEY") or not hmac.compare_digest(given.encode(), env("ADMIN_API_KEY").encode()):
        return Response(401, {"status": 401, "error": "Unauthorized"})
    asked = request.json()
    if "premium_integrations" not in asked:
        raise RubyError("NoMethodError", "undefined method 'map' for nil")
    with database.transaction() as connection:
        organization = accounts.new_organization(connection, str(asked.get("name", "")))
        accounts.new_key(connection, organization["id"])
    found = {"lago_id": str(organization["id"]), "name": organization["name"]}
    url = f"{env('LAGO_FRONT_URL')}/invitation/{secrets.token_hex(20)}"
    return Response(201, {"organization": found, "invite_url": url})
