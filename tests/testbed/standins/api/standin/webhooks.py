# SPDX-License-Identifier: GPL-3.0-or-later
"""Webhooks: what happened is written down as a file, sent by a worker, and shown to whoever asks."""

from __future__ import annotations

import base64
import gzip
import json
import urllib.error
import urllib.request
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from standin import boot, database, sidekiq, storage
from standin.settings import RELEASE, env

Row = dict[str, Any]
IN_FILES = "files" not in RELEASE.without.get("webhooks", ())


def announce(kind: str, organization: Any, record: Row) -> None:
    """Lets a worker tell the organization's endpoints, if it has any."""
    given = {"type": kind, "organization": str(organization), "record": record}
    sidekiq.enqueue("SendWebhookJob", sidekiq.queue_for("webhook_worker"), given)


def create(given: Row) -> None:
    """`SendWebhookJob`: one webhook for each endpoint, its payload in a file, and a job that sends it.

    :raises RubyError: when the file is not kept.
    """
    name = given["type"].partition(".")[0]
    payload = {"webhook_type": given["type"], "object_type": name, "organization_id": given["organization"]}
    payload[name] = given["record"]
    with database.connected() as connection:
        endpoints = "SELECT * FROM webhook_endpoints WHERE organization_id = %s ORDER BY created_at"
        for endpoint in database.rows(connection, endpoints, given["organization"]):
            if endpoint["event_types"] is None or given["type"] in endpoint["event_types"]:
                identifier = str(uuid.uuid4())
                row = database.insert(
                    connection,
                    "webhooks",
                    id=identifier,
                    organization_id=given["organization"],
                    webhook_endpoint_id=endpoint["id"],
                    endpoint=endpoint["webhook_url"],
                    webhook_type=given["type"],
                    object_type=name.capitalize(),
                    **_kept(identifier, "payload", payload),
                )
                _enqueue(row["id"])


def _enqueue(identifier: Any) -> None:
    sidekiq.enqueue("SendHttpWebhookJob", sidekiq.queue_for("webhook_worker"), {"webhook": str(identifier)})


def _kept(identifier: str, part: str, content: Any) -> Row:
    """The columns that say where the part is."""
    text = json.dumps(content, default=str)
    if not IN_FILES:
        return {part: text}
    key = f"webhooks/{identifier}/{part}.json.gz"
    storage.service().upload(key, gzip.compress(text.encode()))
    return {f"{part}_key": key}


def _read(row: Row, part: str) -> Any:
    key = row.get(f"{part}_key")
    return json.loads(gzip.decompress(storage.service().download(key))) if key else row[part]


def send(given: Row) -> None:
    """`SendHttpWebhookJob`: tells the endpoint, and writes down what it answered."""
    with database.connected() as connection:
        found = "SELECT w.*, e.signature_algo FROM webhooks w JOIN webhook_endpoints e ON e.id = w.webhook_endpoint_id"
        row = database.one(connection, f"{found} WHERE w.id::text = %s", given["webhook"])
        if row is None:
            return
        payload = json.dumps(_read(row, "payload")).encode()
        http_status, answer, status = _post(row, payload)
        values = {"http_status": http_status, "status": status, **_kept(str(row["id"]), "response", answer)}
        changes = ", ".join(f"{name} = %s" for name in values)
        connection.execute(f"UPDATE webhooks SET {changes} WHERE id = %s", [*values.values(), row["id"]])


def _post(row: Row, payload: bytes) -> tuple[int | None, str, str]:
    """The status, what the endpoint said, and what became of the webhook. It is tried once."""
    headers = {"Content-Type": "application/json", "X-Lago-Unique-Key": str(row["id"])}
    headers |= {"X-Lago-Signature": _signature(payload), "X-Lago-Signature-Algorithm": str(row["signature_algo"])}
    asked = urllib.request.Request(row["endpoint"], payload, headers)
    try:
        with urllib.request.urlopen(asked, timeout=int(env("LAGO_WEBHOOK_TIMEOUT_SECONDS") or 30)) as answer:
            return answer.status, answer.read().decode(errors="replace"), "succeeded"
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace"), "failed"
    except OSError as error:
        return None, str(error), "failed"


def _signature(payload: bytes) -> str:
    """A JWT about the payload, which the public key of the API proves."""
    claims = {"data": payload.decode(), "iss": env("LAGO_API_URL")}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "RS256"}, claims)]
    signed = b".".join(parts)
    signature = boot.private_key().sign(signed, padding.PKCS1v15(), SHA256())
    return b".".join([signed, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def shown(organization: str, endpoint: str) -> list[Row]:
    """The webhooks of an endpoint, the newest first, as GraphQL tells of them."""
    statement = (
        "SELECT * FROM webhooks WHERE organization_id = %s AND webhook_endpoint_id::text = %s ORDER BY created_at DESC"
    )
    with database.connected() as connection:
        found = database.rows(connection, statement, organization, endpoint)
    return [{**row, "payload": json.dumps(_read(row, "payload")), "response": _response(row)} for row in found]


def _response(row: Row) -> str | None:
    return _read(row, "response") if row.get("response_key") or row["response"] is not None else None
