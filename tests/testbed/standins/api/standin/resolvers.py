# SPDX-License-Identifier: GPL-3.0-or-later
"""What each field of the GraphQL schema answers."""

from __future__ import annotations

import math
import re
import secrets
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any

from graphql import GraphQLResolveInfo

from standin import accounts, crypto, database, providers, sidekiq, webhooks
from standin.accounts import Refused, Row
from standin.failures import not_found
from standin.settings import RELEASE

FOREVER = "expires_at IS NULL"


class Viewer:
    """Who asks: the user of the token, and the organization of the header if the user is a member of it."""

    def __init__(self, claims: dict[str, Any], organization: str) -> None:
        self._claims = claims
        self._organization = organization

    @cached_property
    def _user(self) -> Row | None:
        with database.connected() as connection:
            return database.one(connection, "SELECT * FROM users WHERE id::text = %s", str(self._claims.get("sub")))

    @property
    def user(self) -> Row:
        """:raises Refused: without a valid token."""
        found = self._user if self._claims else None
        if found is None:
            raise Refused("unauthorized", "unauthorized", "unauthorized")
        return found

    @property
    def organization(self) -> str:
        """:raises Refused: without a token, a header, or a membership."""
        found = None
        if self._claims and self._organization and self._user:
            where = "user_id = %s AND organization_id::text = %s AND status = 0"
            member = f"SELECT organization_id AS id FROM memberships WHERE {where}"
            with database.connected() as connection:
                found = database.one(connection, member, self._user["id"], self._organization)
        if found is None:
            raise Refused("Missing organization id", "forbidden", "forbidden")
        return str(found["id"])


def iso(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """A field of the roots asks its function, any other is taken from the record under its name in Ruby's spelling."""
    name = f"{info.parent_type.name}.{info.field_name}"
    if name in FIELDS:
        return FIELDS[name](source, info.context, **arguments)
    value = source.get(re.sub(r"(?=[A-Z])", "_", info.field_name).lower())
    if isinstance(value, datetime):
        return iso(value)
    return str(value) if isinstance(value, uuid.UUID) else value


def paginate(records: list[Row], number: int | None, limit: int | None) -> Row:
    number, limit = number or 1, limit or 20
    total = {
        "current_page": number,
        "limit_value": limit,
        "total_count": len(records),
        "total_pages": math.ceil(len(records) / limit),
    }
    return {"collection": records[(number - 1) * limit : number * limit], "metadata": total}


def _memberships(user: Row, _viewer: Viewer) -> list[Row]:
    with database.connected() as connection:
        return database.rows(
            connection, "SELECT * FROM memberships WHERE user_id = %s AND status = 0 ORDER BY created_at", user["id"]
        )


def _roles(membership: Row, _viewer: Viewer) -> list[str]:
    names = "SELECT r.name FROM membership_roles m JOIN roles r ON r.id = m.role_id WHERE m.membership_id = %s"
    with database.connected() as connection:
        return [row["name"] for row in database.rows(connection, names, membership["id"])]


def _organization_of(membership: Row, _viewer: Viewer) -> Row:
    with database.connected() as connection:
        found = database.one(connection, "SELECT * FROM organizations WHERE id = %s", membership["organization_id"])
    return found or {}


def _user_of(membership: Row, _viewer: Viewer) -> Row | None:
    with database.connected() as connection:
        return database.one(connection, "SELECT * FROM users WHERE id = %s", membership["user_id"])


def _organizations(user: Row, viewer: Viewer) -> list[Row]:
    return [_organization_of(membership, viewer) for membership in _memberships(user, viewer)]


def _current_organization(_source: Any, viewer: Viewer) -> Row:
    return _organization_of({"organization_id": viewer.organization}, viewer)


def _keys(organization: str, where: str = "true", *values: Any) -> list[Row]:
    statement = (
        f"SELECT * FROM api_keys WHERE organization_id = %s AND {accounts.VALID} AND {where} ORDER BY created_at"
    )
    with database.connected() as connection:
        return database.rows(connection, statement, organization, *values)


def _api_keys(_source: Any, viewer: Viewer, page: int | None = None, limit: int | None = None) -> Row:
    found = _keys(viewer.organization)
    return paginate([{**key, "value": accounts.masked(key["value"])} for key in found], page, limit)


def _key(viewer: Viewer, identifier: str) -> Row:
    found = _keys(viewer.organization, "id::text = %s", identifier)
    if not found:
        raise accounts.missing("apiKey")
    return found[0]


def _create_key(_source: Any, viewer: Viewer, **_input: Any) -> None:
    assert viewer.organization
    raise Refused("forbidden", 403, "feature_unavailable")


def _update_key(_source: Any, viewer: Viewer, **given: Any) -> Row:
    key = _key(viewer, given["input"]["id"])
    with database.connected() as connection:
        found = database.one(
            connection,
            "UPDATE api_keys SET name = %s WHERE id = %s RETURNING *",
            given["input"].get("name", key["name"]),
            key["id"],
        )
    return found or {}


def _rotate_key(_source: Any, viewer: Viewer, **given: Any) -> Row:
    wanted = given["input"]
    key = _key(viewer, wanted["id"])
    if wanted.get("expiresAt"):
        raise Refused("forbidden", 403, "cannot_rotate_with_provided_date")
    with database.transaction() as connection:
        return accounts.rotate_key(connection, viewer.organization, key, wanted.get("name"))


def _destroy_key(_source: Any, viewer: Viewer, **given: Any) -> Row:
    key = _key(viewer, given["input"]["id"])
    if len(_keys(viewer.organization, FOREVER)) < 2:
        raise accounts.invalid(base="last_non_expiring_api_key")
    with database.connected() as connection:
        connection.execute("UPDATE api_keys SET expires_at = timezone('UTC', now()) WHERE id = %s", [key["id"]])
    accounts.cache.delete(f"api_key/{key['value']}")
    return key


def _register(_source: Any, _viewer: Viewer, **given: Any) -> Row:
    wanted = given["input"]
    return accounts.register(wanted["email"], wanted["password"], wanted["organizationName"])


def _login(_source: Any, _viewer: Viewer, **given: Any) -> Row:
    return accounts.login(given["input"]["email"], given["input"]["password"])


def _forgot_password(_source: Any, _viewer: Viewer, **given: Any) -> Row:
    with database.transaction() as connection:
        user = accounts.find_user(connection, given["input"]["email"])
        if user is None:
            raise accounts.missing("user")
        token = secrets.token_hex(20)
        later = "UPDATE password_resets SET expire_at = timezone('UTC', now()) + interval '30 minutes' WHERE id = %s"
        reset = database.insert(
            connection, "password_resets", user_id=user["id"], token=token, expire_at=datetime.now()
        )
        connection.execute(later, [reset["id"]])
        sidekiq.enqueue("PasswordResetMailer", "mailers", {"to": user["email"], "token": token})
    return {"id": str(reset["id"])}


def _reset_password(_source: Any, _viewer: Viewer, **given: Any) -> Row:
    wanted = given["input"]
    found = "SELECT * FROM password_resets WHERE token = %s AND expire_at > timezone('UTC', now())"
    with database.transaction() as connection:
        reset = database.one(connection, found, wanted["token"])
        if reset is None:
            raise accounts.missing("passwordReset")
        change = "UPDATE users SET password_digest = %s WHERE id = %s RETURNING *"
        user = database.one(connection, change, crypto.digest(wanted["newPassword"]), reset["user_id"])
        connection.execute("DELETE FROM password_resets WHERE id = %s", [reset["id"]])
    if user is None:
        raise not_found()
    return {"user": user, "token": crypto.token(str(user["id"]))}


def _version(_source: Any, _viewer: Viewer) -> Row:
    return {"number": RELEASE.version, "github_url": RELEASE.url}


FIELDS: dict[str, Callable[..., Any]] = {
    "Query.apiKey": lambda _source, viewer, **given: _key(viewer, given["id"]),
    "Query.apiKeys": lambda source, viewer, page=None, limit=None: _api_keys(source, viewer, page, limit),
    "Query.currentUser": lambda _source, viewer: viewer.user,
    "Query.currentVersion": _version,
    "Query.organization": _current_organization,
    "Query.paymentProviders": lambda _source, viewer, page=None, limit=None, **given: paginate(
        providers.payment_providers(viewer.organization, given.get("type")), page, limit
    ),
    "Query.integrations": lambda _source, viewer, page=None, limit=None, types=None: paginate(
        providers.integrations(viewer.organization, types), page, limit
    ),
    "Query.webhooks": lambda _source, viewer, **given: paginate(
        webhooks.shown(viewer.organization, given["webhookEndpointId"]), given.get("page"), given.get("limit")
    ),
    "Mutation.addAdyenPaymentProvider": lambda _source, viewer, **given: providers.add_adyen(
        viewer.organization, given["input"]
    ),
    "Mutation.createApiKey": _create_key,
    "Mutation.createPasswordReset": _forgot_password,
    "Mutation.destroyApiKey": _destroy_key,
    "Mutation.destroyPaymentProvider": lambda _source, viewer, **given: providers.destroy(
        viewer.organization, given["input"]["id"]
    ),
    "Mutation.loginUser": _login,
    "Mutation.registerUser": _register,
    "Mutation.resetPassword": _reset_password,
    "Mutation.rotateApiKey": _rotate_key,
    "Mutation.updateApiKey": _update_key,
    "User.memberships": _memberships,
    "User.organizations": _organizations,
    "User.premium": lambda _user, _viewer: False,
    "Membership.organization": _organization_of,
    "Membership.roles": _roles,
    "Membership.status": lambda membership, _viewer: "active" if membership["status"] == 0 else "revoked",
    "Membership.user": _user_of,
    "Organization.accessibleByCurrentSession": lambda _organization, _viewer: True,
    "Organization.canCreateBillingEntity": lambda _organization, _viewer: False,
    "CurrentOrganization.apiKey": lambda organization, _viewer: _keys(str(organization["id"]))[0]["value"],
}
