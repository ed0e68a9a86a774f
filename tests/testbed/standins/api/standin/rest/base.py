# SPDX-License-Identifier: GPL-3.0-or-later
"""What the handlers of `/api/v1` share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from standin.http_types import Request, Response

Row = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A request that came with the key of this organization."""

    organization: str
    request: Request

    def param(self, name: str) -> Any:
        """The object that the body must carry under this name."""
        body = self.request.json()
        found = body.get(name) if isinstance(body, dict) else None
        if not found:
            text = f"BadRequest: param is missing or the value is empty or invalid: {name}"
            raise Unanswerable(Response(400, {"status": 400, "error": text}))
        return found


Handler = Callable[..., Response]


class Unanswerable(Exception):
    """Ends a request with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def invalid(**details: str) -> Unanswerable:
    body = {"status": 422, "error": "Unprocessable Entity", "code": "validation_errors"}
    return Unanswerable(
        Response(422, {**body, "error_details": {name: [problem] for name, problem in details.items()}})
    )


def unknown(what: str) -> Unanswerable:
    return Unanswerable(Response(404, {"status": 404, "error": "Not Found", "code": f"{what}_not_found"}))


def need(given: Row, *names: str) -> None:
    """:raises Unanswerable: when one of these is missing or blank."""
    absent = {name: "value_is_mandatory" for name in names if given.get(name) in (None, "")}
    if absent:
        raise invalid(**absent)


def iso(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def precise(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"


def paged(call: Call, name: str, records: list[Row], show: Callable[[Row], Row]) -> Response:
    """A page of a list. `per_page` has no upper bound; 0 is a failure."""
    page, size = int(call.request.query.get("page", 1)), int(call.request.query.get("per_page", 20))
    pages = math.ceil(len(records) / size)
    meta = {
        "current_page": page if records else 0,
        "next_page": page + 1 if page < pages else None,
        "prev_page": page - 1 if page > 1 else None,
        "total_pages": pages,
        "total_count": len(records),
    }
    return Response(200, {name: [show(record) for record in records[(page - 1) * size : page * size]], "meta": meta})
