# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, their organizations and the organizations' keys."""

from __future__ import annotations

import json
import re
import secrets
import string
import uuid
from typing import Any

import psycopg

from standin import cache, crypto, database, sidekiq
from standin.database import Connection
from standin.failures import RubyError, not_found
from standin.settings import RELEASE, is_true

Row = dict[str, Any]

RESOURCES = (
    "activity_log",
    "add_on",
    "alert",
    "analytic",
    "api_log",
    "applied_coupon",
    "billable_metric",
    "billing_entity",
    "coupon",
    "credit_note",
    "customer",
    "customer_usage",
    "event",
    "feature",
    "fee",
    "invoice",
    "invoice_custom_section",
    "lifetime_usage",
    "order",
    "order_form",
    "organization",
    "payment",
    "payment_method",
    "payment_receipt",
    "payment_request",
    "plan",
    "quote",
    "security_log",
    "subscription",
    "tax",
    "wallet",
    "wallet_transaction",
    "webhook_endpoint",
    "webhook_jwt_public_key",
)


class Refused(Exception):
    """An answer that is a refusal, not a failure."""

    def __init__(self, message: str, status: int | str, code: str, details: dict[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.extensions: dict[str, Any] = {"status": status, "code": code}
        if details is not None:
            self.extensions["details"] = details


def invalid(**details: str) -> Refused:
    found = {field: [problem] for field, problem in details.items()}
    return Refused("Unprocessable Entity", 422, "unprocessable_entity", found)


def missing(field: str) -> Refused:
    return Refused("Resource not found", 404, "not_found", {field: ["not_found"]})


def _suffix() -> str:
    return "-" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(3))


def new_organization(connection: Connection, name: str) -> Row:
    """An organization with its billing entity and its first key."""
    if not name.strip():
        raise RubyError("ActiveRecord::RecordInvalid", "Validation failed: Name value_is_mandatory")
    identifier = str(uuid.uuid4())
    prefix = f"{name[:3].upper()}-{identifier[-4:].upper()}"
    values: Row = {"id": identifier, "name": name, "document_number_prefix": prefix}
    if "slug" in RELEASE.without.get("organization", ()):
        organization = database.insert(connection, "organizations", **values)
    else:
        organization = _insert_with_slug(connection, values)
    code = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    database.insert(connection, "billing_entities", id=identifier, organization_id=identifier, code=code, name=name)
    return organization


def _insert_with_slug(connection: Connection, values: Row) -> Row:
    """The slug is the name's; one that another organization has gets three letters more."""
    slug = re.sub(r"[^a-z0-9]+", "-", values["name"].lower()).strip("-")
    for tried in (slug, slug + _suffix(), slug + _suffix()):
        try:
            with connection.transaction():
                return database.insert(connection, "organizations", **values, slug=tried)
        except psycopg.errors.UniqueViolation:
            continue
    raise RubyError("ActiveRecord::RecordNotUnique", "duplicate key value violates unique constraint")


def new_key(connection: Connection, organization_id: Any, name: str | None = None, value: str | None = None) -> Row:
    known = [resource for resource in RESOURCES if resource not in RELEASE.without.get("permissions", ())]
    permissions = json.dumps({resource: ["read", "write"] for resource in known})
    value = value or str(uuid.uuid4())
    return database.insert(
        connection, "api_keys", organization_id=organization_id, value=value, name=name, permissions=permissions
    )


def join(connection: Connection, user_id: Any, organization_id: Any) -> Row:
    """Makes the user an administrator. Without the predefined roles there is no such thing: 404, as in the real one."""
    role = database.one(connection, "SELECT id FROM roles WHERE code = 'admin' AND organization_id IS NULL")
    if role is None:
        raise not_found()
    membership = database.insert(connection, "memberships", user_id=user_id, organization_id=organization_id)
    database.insert(connection, "membership_roles", membership_id=membership["id"], role_id=role["id"])
    return membership


def find_user(connection: Connection, email: str) -> Row | None:
    """By the exact spelling: another case is another user."""
    return database.one(connection, "SELECT * FROM users WHERE email = %s LIMIT 1", email.replace("\0", ""))


def register(email: str, password: str, organization_name: str) -> Row:
    """Whether the user exists is asked first and a while before he is made: nothing else keeps two of them apart."""
    if is_true("LAGO_DISABLE_SIGNUP"):
        raise Refused("Method Not Allowed", 405, "signup_disabled")
    with database.connected() as connection:
        if find_user(connection, email):
            raise invalid(email="user_already_exists")
    stored = crypto.digest(password)
    with database.transaction() as connection:
        user = database.insert(connection, "users", email=email, password_digest=stored)
        organization = new_organization(connection, organization_name)
        new_key(connection, organization["id"])
        membership = join(connection, user["id"], organization["id"])
        sidekiq.enqueue("SegmentIdentifyJob", "default", {"membership_id": f"membership/{membership['id']}"})
    return {
        "user": user,
        "organization": organization,
        "membership": membership,
        "token": crypto.token(str(user["id"])),
    }


def login(email: str, password: str) -> Row:
    """A right password also enqueues a job, so without Redis it is a failure; a wrong one is refused all the same."""
    with database.connected() as connection:
        user = find_user(connection, email)
        if user is None or not crypto.verify(password, user["password_digest"]):
            raise invalid(base="incorrect_login_or_password")
        active = "SELECT id FROM memberships WHERE user_id = %s AND status = 0 ORDER BY created_at LIMIT 1"
        membership = database.one(connection, active, user["id"])
    if membership is None:
        raise invalid(base="incorrect_login_or_password")
    sidekiq.enqueue("SegmentIdentifyJob", "default", {"membership_id": f"membership/{membership['id']}"})
    return {"user": user, "token": crypto.token(str(user["id"]))}


VALID = "(expires_at IS NULL OR expires_at > timezone('UTC', now()))"


def organization_of_key(value: str) -> str | None:
    """The id of the organization whose valid key this is; remembered in the cache for an hour."""
    known = cache.read(f"api_key/{value}")
    if known:
        return known
    with database.connected() as connection:
        row = database.one(connection, f"SELECT organization_id FROM api_keys WHERE value = %s AND {VALID}", value)
    if row is None:
        return None
    cache.write(f"api_key/{value}", str(row["organization_id"]))
    return str(row["organization_id"])


def rotate_key(connection: Connection, organization_id: str, key: Row, name: str | None) -> Row:
    """A new key instead of this one, which is refused from now on."""
    connection.execute("UPDATE api_keys SET expires_at = timezone('UTC', now()) WHERE id = %s", [key["id"]])
    made = new_key(connection, organization_id, name)
    cache.delete(f"api_key/{key['value']}")
    return made


def masked(secret: str | None) -> str | None:
    return None if secret is None else f"{'•' * 8}{secret[-3:]}"
