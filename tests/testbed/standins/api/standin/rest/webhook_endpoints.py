# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an organization wants to be told of what happens."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from standin import database
from standin.database import Connection
from standin.http_types import Response
from standin.rest.base import Call, Row, invalid, iso, paged, unknown

FIELDS = ("webhook_url", "signature_algo", "name", "event_types")


def _body(row: Row) -> Row:
    return {
        "lago_id": str(row["id"]),
        "lago_organization_id": str(row["organization_id"]),
        **{name: row[name] for name in FIELDS},
        "created_at": iso(row["created_at"]),
    }


def _find(connection: Connection, call: Call, identifier: str) -> Row:
    statement = "SELECT * FROM webhook_endpoints WHERE organization_id = %s AND id::text = %s"
    row = database.one(connection, statement, call.organization, identifier)
    if row is None:
        raise unknown("webhook_endpoint")
    return row


def _given(connection: Connection, call: Call, own: Any = None) -> Row:
    """:raises Unanswerable: when the URL is none, or the organization has it already."""
    asked = call.param("webhook_endpoint")
    values = {name: asked[name] for name in FIELDS if name in asked}
    url = urlsplit(str(values.get("webhook_url", "")))
    if url.scheme not in ("http", "https") or not url.netloc:
        raise invalid(webhook_url="url_is_invalid")
    taken = "SELECT id FROM webhook_endpoints WHERE organization_id = %s AND webhook_url = %s"
    found = database.one(connection, taken, call.organization, values["webhook_url"])
    if found is not None and found["id"] != own:
        raise invalid(webhook_url="value_already_exist")
    if values.get("event_types") is not None:
        values["event_types"] = json.dumps(values["event_types"])
    return values


def create(call: Call) -> Response:
    with database.transaction() as connection:
        values = {"signature_algo": "jwt", **_given(connection, call)}
        row = database.insert(connection, "webhook_endpoints", organization_id=call.organization, **values)
    return Response(200, {"webhook_endpoint": _body(row)})


def update(call: Call, identifier: str) -> Response:
    with database.transaction() as connection:
        row = _find(connection, call, identifier)
        values = _given(connection, call, own=row["id"])
        changes = "".join(f"{name} = %s, " for name in values)
        statement = (
            f"UPDATE webhook_endpoints SET {changes} updated_at = timezone('UTC', now()) WHERE id = %s RETURNING *"
        )
        row = database.one(connection, statement, *values.values(), row["id"]) or row
    return Response(200, {"webhook_endpoint": _body(row)})


def index(call: Call) -> Response:
    statement = "SELECT * FROM webhook_endpoints WHERE organization_id = %s ORDER BY created_at DESC"
    with database.connected() as connection:
        found = database.rows(connection, statement, call.organization)
    return paged(call, "webhook_endpoints", found, _body)


def show(call: Call, identifier: str) -> Response:
    with database.connected() as connection:
        return Response(200, {"webhook_endpoint": _body(_find(connection, call, identifier))})


def destroy(call: Call, identifier: str) -> Response:
    with database.transaction() as connection:
        row = _find(connection, call, identifier)
        connection.execute("DELETE FROM webhooks WHERE webhook_endpoint_id = %s", [row["id"]])
        connection.execute("DELETE FROM webhook_endpoints WHERE id = %s", [row["id"]])
    return Response(200, {"webhook_endpoint": _body(row)})
