# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions of customers to plans."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime

from standin import database, webhooks
from standin.database import Connection
from standin.http_types import Response
from standin.rest import catalogue, customers
from standin.rest.base import Call, Row, iso, need, precise, unknown
from standin.settings import RELEASE

JOINED = (
    "SELECT s.*, c.external_id AS customer_external_id FROM subscriptions s JOIN customers c ON c.id = s.customer_id "
    "WHERE s.organization_id = %s AND s.external_id = %s AND s.status = 'active' ORDER BY s.created_at DESC LIMIT 1"
)
ABSENT = ["previous_plan_code", "next_plan_code", "downgrade_plan_date"]


def period(subscription: Row) -> tuple[datetime, datetime]:
    """The current calendar month, cut by the subscription's own start and end."""
    now = datetime.utcnow()
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = now.replace(day=monthrange(now.year, now.month)[1], hour=23, minute=59, second=59, microsecond=0)
    return max(first, subscription["started_at"]), subscription["terminated_at"] or last


def find(connection: Connection, organization: str, external_id: str) -> Row:
    """:raises Unanswerable: when there is no active one."""
    row = database.one(connection, JOINED, organization, external_id)
    if row is None:
        raise unknown("subscription")
    return row


def _body(connection: Connection, row: Row) -> Row:
    plan = database.one(connection, "SELECT * FROM plans WHERE id = %s", row["plan_id"]) or {}
    started, ending = period(row)
    alive = row["status"] == "active"
    found = {
        "lago_id": str(row["id"]),
        "external_id": row["external_id"],
        "lago_customer_id": str(row["customer_id"]),
        "external_customer_id": row["customer_external_id"],
        "name": row["name"] or "",
        "plan_code": plan["code"],
        "plan_amount_cents": plan["amount_cents"],
        "plan_amount_currency": plan["amount_currency"],
        "status": row["status"],
        "billing_time": "calendar",
        "subscription_at": iso(row["created_at"]),
        "started_at": precise(row["started_at"]),
        "trial_ended_at": None,
        "ending_at": None,
        "terminated_at": iso(row["terminated_at"]),
        "canceled_at": None,
        "created_at": iso(row["created_at"]),
        **dict.fromkeys(ABSENT),
        "current_billing_period_started_at": iso(started),
        "current_billing_period_ending_at": iso(ending),
        "on_termination_credit_note": None,
        "on_termination_invoice": row["on_termination_invoice"],
        "progressive_billing_disabled": False,
        "consolidate_invoice": True,
        "cancellation_reason": None,
        "activated_at": iso(row["started_at"]),
        **({"entitlements": [], "applicable_usage_thresholds": []} if alive else {}),
        "payment_method": {"payment_method_id": None, "payment_method_type": "provider"},
        "plan": catalogue.plan_body(connection, plan, whole=False),
        "applied_invoice_custom_sections": [],
        "activation_rules": [],
    }
    return RELEASE.trim("subscription", found)


def create(call: Call) -> Response:
    given = call.param("subscription")
    need(given, "external_customer_id", "plan_code", "external_id")
    with database.transaction() as connection:
        customer = customers.find(connection, call.organization, given["external_customer_id"])
        plan = catalogue.find(connection, "plans", call.organization, given["plan_code"])
        if plan is None:
            raise unknown("plan")
        row = database.one(connection, JOINED, call.organization, given["external_id"])
        if row is None:
            values = {"customer_id": customer["id"], "plan_id": plan["id"], "external_id": given["external_id"]}
            database.insert(
                connection,
                "subscriptions",
                organization_id=call.organization,
                name=given.get("name"),
                started_at=datetime.utcnow(),
                **values,
            )
        row = find(connection, call.organization, given["external_id"])
        body = _body(connection, row)
        webhooks.announce("subscription.started", call.organization, body)
        return Response(200, {"subscription": body})


def show(call: Call, external_id: str) -> Response:
    with database.connected() as connection:
        return Response(200, {"subscription": _body(connection, find(connection, call.organization, external_id))})


def terminate(call: Call, external_id: str) -> Response:
    with database.transaction() as connection:
        row = find(connection, call.organization, external_id)
        change = "status = 'terminated', terminated_at = timezone('UTC', now())"
        statement = f"UPDATE subscriptions SET {change} WHERE id = %s RETURNING *"
        ended = database.one(connection, statement, row["id"]) or {}
        return Response(200, {"subscription": _body(connection, {**row, **ended})})
