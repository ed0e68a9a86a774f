# SPDX-License-Identifier: GPL-3.0-or-later
"""`signup:seed_organization`: find or make, by e-mail and by the organization's name, at every run."""

from __future__ import annotations

import os

from standin import accounts, crypto, database
from standin.failures import RubyError
from standin.settings import env, is_true


def seed_organization() -> None:
    """Renaming the organization makes the next run make a second one, and only then fail on the key."""
    if not is_true("LAGO_CREATE_ORG"):
        return
    print('"starting seeding environment"', flush=True)
    name, email, password = (env(f"LAGO_ORG_{part}") for part in ("NAME", "USER_EMAIL", "USER_PASSWORD"))
    if not (name and email and password):
        raise RubyError(
            "", "Couldn't find LAGO_ORG_USER_PASSWORD, LAGO_ORG_USER_EMAIL or LAGO_ORG_NAME in environement variables"
        )
    with database.connected() as connection:
        user = accounts.find_user(connection, email)
        user = user or database.insert(connection, "users", email=email, password_digest=crypto.digest(password))
        organization = database.one(
            connection, "SELECT * FROM organizations WHERE name = %s ORDER BY created_at LIMIT 1", name
        )
        organization = organization or accounts.new_organization(connection, name)
        member = "SELECT id FROM memberships WHERE user_id = %s AND organization_id = %s"
        if not database.one(connection, member, user["id"], organization["id"]):
            accounts.join(connection, user["id"], organization["id"])
        value = os.environ.get("LAGO_ORG_API_KEY") or None
        own = "SELECT id FROM api_keys WHERE organization_id = %s AND (value = %s OR %s::text IS NULL)"
        if not database.one(connection, own, organization["id"], value, value):
            if value and database.one(connection, "SELECT id FROM api_keys WHERE value = %s", value):
                raise RubyError("ActiveRecord::RecordInvalid", "Validation failed: Value value_already_exist")
            accounts.new_key(connection, organization["id"], value=value)
    print('"ending seeding environment"')
