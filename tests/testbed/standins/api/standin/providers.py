# SPDX-License-Identifier: GPL-3.0-or-later
"""Payment providers and integrations: the two tables with an encrypted column."""

from __future__ import annotations

import json
import re
from typing import Any

from standin import accounts, crypto, database
from standin.accounts import Row


def obscured(secret: str | None) -> str | None:
    return None if secret is None else f"{'•' * 8}…{secret[-3:]}"


def _records(table: str, organization: str, kinds: list[str]) -> list[Row]:
    """The rows with their secrets read: keys other than those they were written with make it fail."""
    living = "AND deleted_at IS NULL" if table == "payment_providers" else ""
    statement = f"SELECT * FROM {table} WHERE organization_id = %s {living} ORDER BY created_at"
    with database.connected() as connection:
        found = database.rows(connection, statement, organization)
    return [_record(row) for row in found if not kinds or any(kind in row["type"].lower() for kind in kinds)]


def _record(row: Row) -> Row:
    hidden = {name: obscured(value) for name, value in crypto.decrypt(row["secrets"]).items()}
    return {**row, **row["settings"], **hidden, "__typename": row["type"].rpartition("::")[2]}


def payment_providers(organization: str, kind: str | None) -> list[Row]:
    return _records("payment_providers", organization, [kind] if kind else [])


def integrations(organization: str, kinds: list[str] | None) -> list[Row]:
    return _records("integrations", organization, kinds or [])


def add_adyen(organization: str, given: dict[str, Any]) -> Row:
    """Made, or changed when there is one of this code."""
    names = {name: re.sub(r"(?=[A-Z])", "_", name).lower() for name in given}
    values = {names[name]: value for name, value in given.items() if name != "clientMutationId"}
    hidden = {name: values.pop(name) for name in ("api_key", "hmac_key") if values.get(name) is not None}
    code, title = values.pop("code"), values.pop("name")
    with database.transaction() as connection:
        connection.execute(
            "UPDATE payment_providers SET deleted_at = timezone('UTC', now()) "
            "WHERE organization_id = %s AND code = %s AND deleted_at IS NULL",
            [organization, code],
        )
        row = database.insert(
            connection,
            "payment_providers",
            organization_id=organization,
            type="PaymentProviders::AdyenProvider",
            code=code,
            name=title,
            secrets=crypto.encrypt(hidden),
            settings=json.dumps(values),
        )
    return _record(row)


def destroy(organization: str, identifier: str) -> Row:
    statement = (
        "UPDATE payment_providers SET deleted_at = timezone('UTC', now()) "
        "WHERE organization_id = %s AND id::text = %s AND deleted_at IS NULL RETURNING id"
    )
    with database.connected() as connection:
        row = database.one(connection, statement, organization, identifier)
    if row is None:
        raise accounts.missing("paymentProvider")
    return row
