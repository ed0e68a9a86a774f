# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a URL of PostgreSQL, for programs that take no URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ansible.errors import AnsibleFilterError
from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain

#: Parameters of a URL, and the variable by which libpq hears of them.
_OPTIONS = {
    "sslmode": "PGSSLMODE",
    "application_name": "PGAPPNAME",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


def libpq_environment(url: Any) -> dict[str, str]:
    """Return the variables of environment by which libpq reaches what a URL of PostgreSQL names.

    Raises AnsibleFilterError, without the URL, for what is none.
    """
    try:
        parts = urlsplit(str(plain(url)))
        port, options = parts.port, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise AnsibleFilterError("This is no URL of PostgreSQL.") from None
    found = {
        "PGHOST": parts.hostname,
        "PGPORT": str(port or 5432),
        "PGUSER": None if parts.username is None else unquote(parts.username),
        "PGPASSWORD": None if parts.password is None else unquote(parts.password),
        "PGDATABASE": unquote(parts.path.removeprefix("/")) or None,
        **{_OPTIONS[name]: value for name, value in options.items() if name in _OPTIONS},
    }
    return {name: value for name, value in found.items() if value}


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"libpq_environment": libpq_environment}
