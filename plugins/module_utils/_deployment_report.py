# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What the checks of a deployment found: facts, and problems with their next step."""

from __future__ import annotations

import os
import time
import traceback
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError


def unknown() -> dict[str, t.Any]:
    """Return the facts before anything was asked: null is what was not found out."""
    return {
        "health": {"status": None, "version": None, "expected": None},
        "key": {"accepted": None, "organization_id": None, "organization_name": None},
        "data": {"readable": None},
        "signup": {"closed": None},
        "login": {"accepted": None},
        "encrypted_rows": {"readable": "unknown"},
        "job": {"passed": None, "through": None, "seconds": None},
        "queues": {"without_worker": None},
        "front": {"reachable": None, "api_url": None, "signup_disabled": None, "config": {}},
        "origin": {"one_origin": None, "cors_ok": None},
        "exposed_paths": None,
        "edge": {
            "mode": None,
            "names": [],
            "certificates": [],
            "issuer": None,
            "not_before": None,
            "not_after": None,
            "life_left": None,
            "renewal_overdue": None,
            "protocol": None,
            "http2": None,
            "hsts": None,
            "redirects": None,
            "opened_paths": [],
        },
        "containers": [],
        "workers": [],
        "clock": {"state": None, "health": None, "containers": None},
        "backup": None,
        "partman": {"configured": None, "next_partition": None, "maintenance_last_run": None},
        "database": {
            "schema_version": None,
            "roles": None,
            "encrypted_rows": None,
            "invalid_indexes": None,
            "slugs": None,
        },
    }


class Report:
    """Facts and problems, and the guard under which each check is made."""

    def __init__(self, time_limit: float) -> None:
        """:param time_limit: after so many seconds no further check is begun."""
        self.facts = unknown()
        self.problems: list[dict[str, t.Any]] = []
        self._end = time.monotonic() + time_limit

    def problem(self, code: str, message: str, **details: t.Any) -> None:
        """Add a problem, unless it is known already."""
        entry = {"code": code, "message": message, "details": details}
        if entry not in self.problems:
            self.problems.append(entry)

    def check(self, name: str, function: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
        """Make one check; whatever happens in it is a problem and never the end of the others.

        :returns: what I(function) returned, None when it failed.
        """
        if time.monotonic() > self._end:
            self.problem("not_checked", f"There was no time left to check {name}: raise time_limit.", check=name)
            return None
        try:
            return function(*args)
        except LagoError as error:
            self.problem(error.code, error.message, **error.details)
        except Exception as error:  # noqa: BLE001 - its text may hold a secret
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {os.path.basename(frame.filename)}:{frame.lineno}"
            self.problem("check_failed", f"The check of {name} failed ({where}): please report this line.", check=name)
        return None
