# SPDX-License-Identifier: GPL-3.0-or-later
"""`/api/v1`: as much of it as metering one event takes, over what is stored."""

from __future__ import annotations

from urllib.parse import unquote

from standin import accounts, faults
from standin.failures import RubyError
from standin.http_types import Request, Response, no_route
from standin.rest import catalogue, customers, events, organizations, subscriptions, wallets, webhook_endpoints
from standin.rest.base import Call, Handler, Unanswerable

ROUTES: dict[tuple[str, ...], Handler] = {
    ("GET", "organizations"): organizations.show,
    ("PUT", "organizations"): organizations.update,
    ("GET", "webhooks", "public_key"): organizations.public_key,
    ("GET", "webhooks", "json_public_key"): organizations.json_public_key,
    ("GET", "billable_metrics"): catalogue.metrics,
    ("POST", "billable_metrics"): catalogue.create_metric,
    ("GET", "billable_metrics", ":"): catalogue.metric,
    ("DELETE", "billable_metrics", ":"): catalogue.destroy_metric,
    ("POST", "plans"): catalogue.create_plan,
    ("GET", "plans", ":"): catalogue.plan,
    ("DELETE", "plans", ":"): catalogue.destroy_plan,
    ("POST", "customers"): customers.upsert,
    ("GET", "customers", ":"): customers.show,
    ("DELETE", "customers", ":"): customers.destroy,
    ("GET", "customers", ":", "current_usage"): events.current_usage,
    ("POST", "subscriptions"): subscriptions.create,
    ("GET", "subscriptions", ":"): subscriptions.show,
    ("DELETE", "subscriptions", ":"): subscriptions.terminate,
    ("POST", "events"): events.create,
    ("POST", "events", "batch"): events.batch,
    ("GET", "events", ":"): events.show,
    ("POST", "wallets"): wallets.create,
    ("GET", "webhook_endpoints"): webhook_endpoints.index,
    ("POST", "webhook_endpoints"): webhook_endpoints.create,
    ("GET", "webhook_endpoints", ":"): webhook_endpoints.show,
    ("PUT", "webhook_endpoints", ":"): webhook_endpoints.update,
    ("DELETE", "webhook_endpoints", ":"): webhook_endpoints.destroy,
}


def _route(method: str, parts: list[str]) -> tuple[Handler | None, list[str]]:
    exact = ROUTES.get((method, *parts))
    if exact:
        return exact, []
    for index in range(1, len(parts)):
        shape = (method, *parts[:index], ":", *parts[index + 1 :])
        if shape in ROUTES:
            return ROUTES[shape], [parts[index]]
    return None, []


def answer(request: Request) -> Response:
    """:raises RubyError: what nobody caught."""
    parts = [unquote(part) for part in request.path.removeprefix("/api/v1/").rstrip("/").split("/")]
    handler, found = _route(request.method, parts)
    if handler is None:
        return no_route()
    organization = accounts.organization_of_key(request.bearer) if request.bearer else None
    if organization is None:
        return Response(401, {"status": 401, "error": "Unauthorized"})
    if "keys_fail" in faults.asked():
        raise RubyError("NoMethodError", "stand-in: asked to fail")
    try:
        return handler(Call(organization, request), *found)
    except Unanswerable as refusal:
        return refusal.response
