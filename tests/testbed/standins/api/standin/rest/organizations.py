# SPDX-License-Identifier: GPL-3.0-or-later
"""The organization of the key, and the key that its webhooks are signed with."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from standin import boot, database
from standin.database import Connection
from standin.http_types import Response
from standin.rest.base import Call, Row, invalid, iso
from standin.settings import RELEASE

PLAIN = ("country", "address_line1", "address_line2", "state", "zipcode", "email", "city", "legal_name", "legal_number")
BILLING = ("document_locale", "invoice_footer", "invoice_grace_period")


def _record(connection: Connection, organization: str) -> tuple[Row, list[str]]:
    row = database.one(connection, "SELECT * FROM organizations WHERE id = %s", organization)
    hooks = database.rows(
        connection,
        "SELECT webhook_url FROM webhook_endpoints WHERE organization_id = %s ORDER BY created_at",
        organization,
    )
    return row or {}, [hook["webhook_url"] for hook in hooks]


def _body(row: Row, hooks: list[str]) -> Row:
    found = {
        "lago_id": str(row["id"]),
        "name": row["name"],
        "slug": row["slug"] if "slug" not in RELEASE.without.get("organization", ()) else None,
        "default_currency": row["default_currency"],
        "created_at": iso(row["created_at"]),
        "webhook_url": hooks[0] if hooks else "",
        "webhook_urls": hooks,
        **{name: row[name] for name in PLAIN},
        "timezone": row["timezone"],
        "net_payment_term": row["net_payment_term"],
        "email_settings": [],
        "document_numbering": "per_organization",
        "document_number_prefix": row["document_number_prefix"],
        "tax_identification_number": None,
        "finalize_zero_amount_invoice": True,
        "billing_configuration": {
            name: row[name] for name in ("invoice_footer", "invoice_grace_period", "document_locale")
        },
        "events_store": "postgres",
    }
    return RELEASE.trim("organization", found)


def show(call: Call) -> Response:
    with database.connected() as connection:
        return Response(200, {"organization": _body(*_record(connection, call.organization))})


def update(call: Call) -> Response:
    """Answers with the webhooks as they were before; a time zone is premium, so it is dropped without a word."""
    given = call.param("organization")
    country = given.get("country")
    if country is not None and not (isinstance(country, str) and len(country) == 2 and country.isalpha()):
        raise invalid(country="not_a_valid_country_code")
    values = {
        name: given[name]
        for name in (*PLAIN, "default_currency", "document_number_prefix", "net_payment_term")
        if name in given
    }
    values |= {
        name: given["billing_configuration"][name] for name in BILLING if name in given.get("billing_configuration", {})
    }
    with database.transaction() as connection:
        for name, value in values.items():
            connection.execute(f"UPDATE organizations SET {name} = %s WHERE id = %s", [value, call.organization])
        row, hooks = _record(connection, call.organization)
        url = given.get("webhook_url")
        if url and url not in hooks:
            database.insert(connection, "webhook_endpoints", organization_id=call.organization, webhook_url=url)
    return Response(200, {"organization": {**_body(row, hooks), "taxes": []}})


def _pem() -> bytes:
    return boot.private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_key(_call: Call) -> Response:
    return Response(200, base64.b64encode(_pem()).decode(), "text/plain; charset=utf-8")


def json_public_key(_call: Call) -> Response:
    return Response(200, {"webhook": {"public_key": base64.b64encode(_pem()).decode()}})
