# SPDX-License-Identifier: GPL-3.0-or-later
"""Wallets: kept, never charged."""

from __future__ import annotations

import re
from decimal import Decimal

from standin import database
from standin.http_types import Response
from standin.rest import customers
from standin.rest.base import Call, iso, need
from standin.settings import RELEASE

ABSENT = ["expiration_at", "last_balance_sync_at", "last_consumed_credit_at", "terminated_at"]
CREDITS = ("credits_balance", "credits_ongoing_balance", "credits_ongoing_usage_balance")
CENTS = ("balance_cents", "ongoing_balance_cents", "ongoing_usage_balance_cents")


def create(call: Call) -> Response:
    given = call.param("wallet")
    need(given, "external_customer_id", "rate_amount", "currency")
    code = given.get("code") or re.sub(r"[^a-z0-9]+", "_", str(given.get("name") or "default").lower()).strip("_")
    values = {
        "name": given.get("name"),
        "code": code,
        "currency": given["currency"],
        "rate_amount": Decimal(given["rate_amount"]),
    }
    with database.transaction() as connection:
        customer = customers.find(connection, call.organization, given["external_customer_id"])
        row = database.insert(
            connection, "wallets", organization_id=call.organization, customer_id=customer["id"], **values
        )
        entity = customers.entity_code(connection, call.organization)
    found = {
        "lago_id": str(row["id"]),
        "lago_customer_id": str(customer["id"]),
        "external_customer_id": customer["external_id"],
        "billing_entity_code": entity,
        "status": "active",
        "currency": row["currency"],
        "name": row["name"],
        "code": code,
        "rate_amount": str(float(row["rate_amount"])),
        **dict.fromkeys(CREDITS, "0.0"),
        **dict.fromkeys(CENTS, 0),
        "consumed_credits": "0.0",
        "created_at": iso(row["created_at"]),
        **dict.fromkeys(ABSENT),
        "invoice_requires_successful_payment": False,
        "paid_top_up_min_amount_cents": None,
        "paid_top_up_max_amount_cents": None,
        "priority": 50,
        "recurring_transaction_rules": [],
        "applies_to": {"fee_types": [], "billable_metric_codes": []},
        "applied_invoice_custom_sections": [],
        "payment_method": {"payment_method_id": None, "payment_method_type": "provider"},
    }
    return Response(200, {"wallet": RELEASE.trim("wallet", found)})
