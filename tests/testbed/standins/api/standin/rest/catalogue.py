# SPDX-License-Identifier: GPL-3.0-or-later
"""Billable metrics, and plans with their charges."""

from __future__ import annotations

import json

import psycopg

from standin import database
from standin.database import Connection
from standin.http_types import Response
from standin.rest.base import Call, Row, invalid, iso, need, paged, unknown

LIVING = "organization_id = %s AND deleted_at IS NULL"
AGGREGATIONS = ("count_agg", "sum_agg", "max_agg", "unique_count_agg", "latest_agg", "weighted_sum_agg", "custom_agg")


def metric_body(row: Row) -> Row:
    return {
        "lago_id": str(row["id"]),
        "name": row["name"],
        "code": row["code"],
        "description": row["description"],
        "aggregation_type": row["aggregation_type"],
        "weighted_interval": None,
        "recurring": row["recurring"],
        "rounding_function": row["rounding_function"],
        "rounding_precision": None,
        "created_at": iso(row["created_at"]),
        "field_name": row["field_name"],
        "expression": None,
        "active_subscriptions_count": 0,
        "draft_invoices_count": 0,
        "plans_count": 0,
        "filters": [],
    }


def find(connection: Connection, table: str, organization: str, code: str) -> Row | None:
    return database.one(connection, f"SELECT * FROM {table} WHERE {LIVING} AND code = %s", organization, code)


def metrics(call: Call) -> Response:
    with database.connected() as connection:
        found = database.rows(
            connection, f"SELECT * FROM billable_metrics WHERE {LIVING} ORDER BY created_at DESC", call.organization
        )
    return paged(call, "billable_metrics", found, metric_body)


def create_metric(call: Call) -> Response:
    given = call.param("billable_metric")
    need(given, "name", "code", "aggregation_type")
    if given["aggregation_type"] not in AGGREGATIONS:
        raise invalid(aggregation_type="value_is_invalid")
    if given["aggregation_type"] != "count_agg":
        need(given, "field_name")
    values = {
        name: given.get(name)
        for name in ("name", "code", "description", "aggregation_type", "field_name", "rounding_function")
    }
    with database.connected() as connection:
        if find(connection, "billable_metrics", call.organization, given["code"]):
            raise invalid(code="value_already_exist")
        row = database.insert(
            connection,
            "billable_metrics",
            organization_id=call.organization,
            recurring=bool(given.get("recurring")),
            **values,
        )
    return Response(200, {"billable_metric": metric_body(row)})


def _destroy(call: Call, table: str, what: str, code: str) -> Row:
    statement = f"UPDATE {table} SET deleted_at = timezone('UTC', now()) WHERE {LIVING} AND code = %s RETURNING *"
    with database.connected() as connection:
        row = database.one(connection, statement, call.organization, code)
    if row is None:
        raise unknown(what)
    return row


def metric(call: Call, code: str) -> Response:
    with database.connected() as connection:
        row = find(connection, "billable_metrics", call.organization, code)
    if row is None:
        raise unknown("billable_metric")
    return Response(200, {"billable_metric": metric_body(row)})


def destroy_metric(call: Call, code: str) -> Response:
    return Response(200, {"billable_metric": metric_body(_destroy(call, "billable_metrics", "billable_metric", code))})


def charges_of(connection: Connection, plan_id: object) -> list[Row]:
    statement = (
        "SELECT c.*, m.code AS metric_code, m.name AS metric_name, m.aggregation_type, m.field_name "
        "FROM charges c JOIN billable_metrics m ON m.id = c.billable_metric_id "
        "WHERE c.plan_id = %s ORDER BY c.created_at"
    )
    return database.rows(connection, statement, plan_id)


def _charge_body(row: Row) -> Row:
    return {
        "lago_id": str(row["id"]),
        "lago_billable_metric_id": str(row["billable_metric_id"]),
        "code": row["code"],
        "invoice_display_name": None,
        "billable_metric_code": row["metric_code"],
        "created_at": iso(row["created_at"]),
        "charge_model": row["charge_model"],
        "invoiceable": True,
        "regroup_paid_fees": None,
        "pay_in_advance": False,
        "prorated": False,
        "min_amount_cents": 0,
        "accepts_target_wallet": False,
        "properties": row["properties"],
        "applied_pricing_unit": None,
        "lago_parent_id": None,
        "filters": [],
        "taxes": [],
    }


def plan_body(connection: Connection, row: Row, whole: bool = True) -> Row:
    """Inside a subscription some lists are left out."""
    return {
        "lago_id": str(row["id"]),
        "name": row["name"],
        "invoice_display_name": None,
        "created_at": iso(row["created_at"]),
        "code": row["code"],
        "interval": row["interval"],
        "description": row["description"],
        "amount_cents": row["amount_cents"],
        "amount_currency": row["amount_currency"],
        "trial_period": None,
        "pay_in_advance": row["pay_in_advance"],
        "bill_charges_monthly": None,
        "bill_fixed_charges_monthly": None,
        "customers_count": 0,
        "active_subscriptions_count": 0,
        "draft_invoices_count": 0,
        "parent_id": None,
        "pending_deletion": row["deleted_at"] is not None,
        "charges": [_charge_body(charge) for charge in charges_of(connection, row["id"])],
        **({"fixed_charges": [], "entitlements": []} if whole else {}),
        "usage_thresholds": [],
        "applicable_usage_thresholds": [],
        "taxes": [],
    }


def _add_charge(connection: Connection, call: Call, plan_id: object, given: Row) -> None:
    """Only what this stand-in can bill is taken: the standard model."""
    statement = f"SELECT * FROM billable_metrics WHERE {LIVING} AND id::text = %s"
    found = database.one(connection, statement, call.organization, str(given.get("billable_metric_id")))
    if found is None:
        raise unknown("billable_metrics")
    if given.get("charge_model") != "standard":
        raise invalid(charge_model="value_is_invalid")
    values = {"charge_model": "standard", "properties": json.dumps(given.get("properties") or {})}
    code = given.get("code") or found["code"]
    database.insert(connection, "charges", plan_id=plan_id, billable_metric_id=found["id"], code=code, **values)


def create_plan(call: Call) -> Response:
    given = call.param("plan")
    need(given, "name", "code", "interval", "amount_cents", "amount_currency")
    if given["interval"] != "monthly":
        raise invalid(interval="value_is_invalid")
    values = {
        name: given.get(name) for name in ("name", "code", "description", "interval", "amount_cents", "amount_currency")
    }
    with database.transaction() as connection:
        try:
            row = database.insert(
                connection,
                "plans",
                organization_id=call.organization,
                pay_in_advance=bool(given.get("pay_in_advance")),
                **values,
            )
        except psycopg.errors.UniqueViolation:
            raise invalid(code="value_already_exist") from None
        for charge in given.get("charges") or []:
            _add_charge(connection, call, row["id"], charge)
        return Response(200, {"plan": plan_body(connection, row)})


def plan(call: Call, code: str) -> Response:
    with database.connected() as connection:
        row = find(connection, "plans", call.organization, code)
        if row is None:
            raise unknown("plan")
        return Response(200, {"plan": plan_body(connection, row)})


def destroy_plan(call: Call, code: str) -> Response:
    row = _destroy(call, "plans", "plan", code)
    with database.connected() as connection:
        return Response(200, {"plan": plan_body(connection, row)})
