# SPDX-License-Identifier: GPL-3.0-or-later
"""Events, and the usage that they add up to."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import psycopg

from standin import database, sidekiq
from standin.database import Connection
from standin.http_types import Response
from standin.rest import catalogue, customers, subscriptions
from standin.rest.base import Call, Row, invalid, iso, need, precise, unknown
from standin.settings import RELEASE, env


def _body(row: Row) -> Row:
    return {
        "lago_id": str(row["id"]),
        "transaction_id": row["transaction_id"],
        "lago_customer_id": None,
        "code": row["code"],
        "timestamp": precise(row["timestamp"]),
        "precise_total_amount_cents": None,
        "properties": row["properties"],
        "lago_subscription_id": None,
        "external_subscription_id": row["external_subscription_id"],
        "created_at": iso(row["created_at"]),
    }


def _insert(connection: Connection, call: Call, given: Row) -> Row:
    moment = datetime.fromtimestamp(float(given.get("timestamp") or time.time()), UTC).replace(tzinfo=None)
    values = {
        "transaction_id": given["transaction_id"],
        "external_subscription_id": given.get("external_subscription_id"),
    }
    properties = json.dumps(given.get("properties") or {})
    metadata = json.dumps({"user_agent": call.request.headers.get("user-agent"), "ip_address": call.request.client})
    return database.insert(
        connection,
        "events",
        organization_id=call.organization,
        code=given.get("code", ""),
        timestamp=moment,
        properties=properties,
        metadata=metadata,
        **values,
    )


def _follow_up(row: Row) -> None:
    """The jobs behind an event. It is stored by then: without Redis its sender is told of a failure all the same."""
    queue = sidekiq.queue_for("events")
    sidekiq.enqueue("Events::PostProcessJob", queue, {"event": f"event/{row['id']}"})


def create(call: Call) -> Response:
    given = call.param("event")
    need(given, "transaction_id")
    with database.connected() as connection:
        try:
            row = _insert(connection, call, given)
        except psycopg.errors.UniqueViolation:
            raise invalid(transaction_id="value_already_exist") from None
    _follow_up(row)
    return Response(200, {"event": _body(row)})


def batch(call: Call) -> Response:
    given = call.param("events")
    if len(given) > int(env("LAGO_EVENTS_BATCH_MAX_LENGTH") or 100):
        raise invalid(events="too_many_events")
    for event in given:
        need(event, "transaction_id")
    with database.transaction() as connection:
        try:
            made = [_insert(connection, call, event) for event in given]
        except psycopg.errors.UniqueViolation:
            raise invalid(transaction_id="value_already_exist") from None
    for row in made:
        _follow_up(row)
    return Response(200, {"events": [_body(row) for row in made]})


def show(call: Call, transaction_id: str) -> Response:
    with database.connected() as connection:
        statement = (
            "SELECT * FROM events WHERE organization_id = %s AND transaction_id = %s ORDER BY created_at DESC LIMIT 1"
        )
        row = database.one(connection, statement, call.organization, transaction_id)
    if row is None:
        raise unknown("event")
    return Response(200, {"event": _body(row)})


def _number(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)


def _units(charge: Row, events: list[Row]) -> Decimal:
    values = [_number(event["properties"].get(charge["field_name"], 0)) for event in events]
    if charge["aggregation_type"] == "count_agg":
        return Decimal(len(events))
    if charge["aggregation_type"] == "max_agg":
        return max(values, default=Decimal(0))
    if charge["aggregation_type"] == "unique_count_agg":
        return Decimal(len(set(values)))
    if charge["aggregation_type"] == "latest_agg":
        return values[-1] if values else Decimal(0)
    return sum(values, Decimal(0))


def _decimal(value: Decimal) -> str:
    return str(value) if value != value.to_integral_value() else f"{int(value)}.0"


def _charge_usage(charge: Row, events: list[Row], currency: str) -> Row:
    units = _units(charge, events)
    cents = int((units * _number(charge["properties"].get("amount", 0)) * 100).to_integral_value())
    named = {"lago_id": str(charge["billable_metric_id"]), "name": charge["metric_name"], "code": charge["metric_code"]}
    own = {
        "lago_id": str(charge["id"]),
        "code": charge["code"],
        "charge_model": charge["charge_model"],
        "invoice_display_name": None,
    }
    found = {
        "units": _decimal(units),
        "total_aggregated_units": _decimal(units),
        "events_count": len(events),
        "amount_cents": cents,
        "amount_currency": currency,
        "pricing_unit_details": None,
        "charge": RELEASE.trim("usage_charge", own),
        "billable_metric": {**named, "aggregation_type": charge["aggregation_type"]},
        "filters": [],
        "grouped_usage": [],
        "presentation_breakdowns": [],
    }
    return RELEASE.trim("usage", found)


def current_usage(call: Call, external_id: str) -> Response:
    with database.connected() as connection:
        customers.find(connection, call.organization, external_id)
        subscription = subscriptions.find(
            connection, call.organization, call.request.query.get("external_subscription_id", "")
        )
        if subscription["customer_external_id"] != external_id:
            raise unknown("subscription")
        started, ending = subscriptions.period(subscription)
        plan = database.one(connection, "SELECT * FROM plans WHERE id = %s", subscription["plan_id"]) or {}
        found = (
            "SELECT * FROM events WHERE organization_id = %s AND external_subscription_id = %s AND code = %s "
            'AND "timestamp" BETWEEN %s AND %s ORDER BY "timestamp"'
        )
        usage = []
        for charge in catalogue.charges_of(connection, plan["id"]):
            events = database.rows(
                connection,
                found,
                call.organization,
                subscription["external_id"],
                charge["metric_code"],
                started,
                ending,
            )
            usage.append(_charge_usage(charge, events, plan["amount_currency"]))
    total = sum(charge["amount_cents"] for charge in usage)
    body = {
        "from_datetime": iso(started),
        "to_datetime": iso(ending),
        "issuing_date": ending.strftime("%Y-%m-%d"),
        "currency": plan["amount_currency"],
        "amount_cents": total,
        "total_amount_cents": total,
        "taxes_amount_cents": 0,
        "lago_invoice_id": None,
        "charges_usage": usage,
    }
    return Response(200, {"customer_usage": body})
