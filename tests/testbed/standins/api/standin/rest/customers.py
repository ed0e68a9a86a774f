# SPDX-License-Identifier: GPL-3.0-or-later
"""Customers: made or changed by their external id."""

from __future__ import annotations

from standin import database
from standin.database import Connection
from standin.http_types import Response
from standin.rest.base import Call, Row, iso, need, unknown
from standin.settings import RELEASE

LIVING = "organization_id = %s AND external_id = %s AND deleted_at IS NULL"
FIELDS = ("name", "currency", "email", "country")
ADDRESS = ("address_line1", "address_line2", "city", "zipcode", "state")
UNUSED = ("url", "phone", "logo_url", "legal_name", "legal_number", "tax_identification_number", "timezone")
BILLING = (
    "invoice_grace_period",
    "payment_provider",
    "payment_provider_code",
    "document_locale",
    "subscription_invoice_issuing_date_anchor",
    "subscription_invoice_issuing_date_adjustment",
)


def find(connection: Connection, organization: str, external_id: str) -> Row:
    """:raises Unanswerable: when there is none."""
    row = database.one(connection, f"SELECT * FROM customers WHERE {LIVING}", organization, external_id)
    if row is None:
        raise unknown("customer")
    return row


def entity_code(connection: Connection, organization: str) -> str | None:
    row = database.one(
        connection,
        "SELECT code FROM billing_entities WHERE organization_id = %s ORDER BY created_at LIMIT 1",
        organization,
    )
    return None if row is None else str(row["code"])


def _body(connection: Connection, row: Row) -> Row:
    found = {
        "lago_id": str(row["id"]),
        "billing_entity_code": entity_code(connection, row["organization_id"]),
        "external_id": row["external_id"],
        "account_type": "customer",
        "name": row["name"],
        "firstname": None,
        "lastname": None,
        "customer_type": None,
        "sequential_id": row["sequential_id"],
        "slug": row["slug"],
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
        "country": row["country"],
        **dict.fromkeys(ADDRESS),
        "email": row["email"],
        **dict.fromkeys(UNUSED),
        "currency": row["currency"],
        "applicable_timezone": "UTC",
        "net_payment_term": None,
        "external_salesforce_id": None,
        "finalize_zero_amount_invoice": "inherit",
        "billing_configuration": dict.fromkeys(BILLING),
        "shipping_address": dict.fromkeys((*ADDRESS, "country")),
        "skip_invoice_custom_sections": False,
        "metadata": [],
        "taxes": [],
        "integration_customers": [],
        "applicable_invoice_custom_sections": [],
        "error_details": [],
    }
    return RELEASE.trim("customer", found)


def upsert(call: Call) -> Response:
    given = call.param("customer")
    need(given, "external_id")
    values = {name: given[name] for name in FIELDS if name in given}
    with database.transaction() as connection:
        row = database.one(
            connection, f"SELECT * FROM customers WHERE {LIVING} FOR UPDATE", call.organization, given["external_id"]
        )
        if row is None:
            row = _insert(connection, call.organization, given["external_id"], values)
        else:
            changes = "".join(f"{name} = %s, " for name in values)
            statement = f"UPDATE customers SET {changes} updated_at = timezone('UTC', now()) WHERE id = %s RETURNING *"
            row = database.one(connection, statement, *values.values(), row["id"]) or row
        return Response(200, {"customer": _body(connection, row)})


def _insert(connection: Connection, organization: str, external_id: str, values: Row) -> Row:
    numbers = "SELECT coalesce(max(sequential_id), 0) + 1 AS next FROM customers WHERE organization_id = %s"
    number = (database.one(connection, numbers, organization) or {})["next"]
    own = (
        database.one(
            connection, "SELECT document_number_prefix AS prefix FROM organizations WHERE id = %s", organization
        )
        or {}
    )
    slug = f"{own['prefix']}-{number:03}"
    named = {"organization_id": organization, "external_id": external_id, "sequential_id": number, "slug": slug}
    return database.insert(connection, "customers", **named, **values)


def show(call: Call, external_id: str) -> Response:
    with database.connected() as connection:
        return Response(200, {"customer": _body(connection, find(connection, call.organization, external_id))})


def destroy(call: Call, external_id: str) -> Response:
    with database.transaction() as connection:
        row = find(connection, call.organization, external_id)
        now = "timezone('UTC', now())"
        statement = f"UPDATE customers SET deleted_at = {now}, updated_at = {now} WHERE id = %s RETURNING *"
        row = database.one(connection, statement, row["id"]) or row
        return Response(200, {"customer": _body(connection, row)})
