# SPDX-License-Identifier: GPL-3.0-or-later
"""URLs made of parts that a person may choose freely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from ansible.errors import AnsibleFilterError
from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain

_DEFAULT_PORTS = {"http": 80, "https": 443}


def url_quote(value: Any) -> str:
    """Return the value with everything but RFC 3986's unreserved characters percent-encoded."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise AnsibleFilterError(f"A part of a URL is a string or a number, not {type(value).__name__}.")
    try:
        return quote(str(value), safe="")
    except UnicodeEncodeError:
        raise AnsibleFilterError("A part of a URL has to be valid Unicode text.") from None


def _host(host: Any) -> str:
    """Return the host as it stands in a URL: an IPv6 address in brackets."""
    host = plain(host)
    if not isinstance(host, str) or not host:
        raise AnsibleFilterError("A URL needs a host.")
    if ":" in host and not host.startswith("["):
        return f"[{host}]"
    return host


def _port(port: Any) -> int | None:
    """Return the port as a number, or None for none given."""
    port = plain(port)
    if port is None or port == "":
        return None
    try:
        number = int(port)
    except (TypeError, ValueError):
        raise AnsibleFilterError("A port is a number from 1 to 65535.") from None
    if not 1 <= number <= 65535:
        raise AnsibleFilterError("A port is a number from 1 to 65535.")
    return number


def _authority(parts: Mapping[str, Any], port: int) -> str:
    """Return `user:password@host:port`, without what is not given."""
    user, password = parts.get("user"), parts.get("password")
    credentials = "" if user is None else url_quote(user)
    if password is not None:
        credentials += f":{url_quote(password)}"
    return (f"{credentials}@" if credentials else "") + f"{_host(parts.get('host'))}:{_port(parts.get('port')) or port}"


def _known(parts: Any, names: set[str]) -> Mapping[str, Any]:
    """Return the parts, refusing what is not a dictionary of the names."""
    if not isinstance(parts, Mapping):
        raise AnsibleFilterError(f"A URL is made of a dictionary of parts, not {type(parts).__name__}.")
    unknown = sorted(set(parts) - names)
    if unknown:
        raise AnsibleFilterError(
            f"Unknown parts of a URL: {', '.join(unknown)}. Known are: {', '.join(sorted(names))}."
        )
    return parts


def postgres_url(parts: Mapping[str, Any]) -> str:
    """Return `postgresql://user:password@host:port/database?options` from a dictionary of these parts."""
    parts = _known(parts, {"user", "password", "host", "port", "database", "options"})
    options = {name: value for name, value in (parts.get("options") or {}).items() if value is not None}
    query = "&".join(f"{url_quote(name)}={url_quote(options[name])}" for name in sorted(options))
    url = f"postgresql://{_authority(parts, 5432)}/{url_quote(parts.get('database') or '')}"
    return f"{url}?{query}" if query else url


def redis_url(parts: Mapping[str, Any]) -> str:
    """Return `redis://user:password@host:port/database` from these parts; with `tls` true, `rediss://`."""
    parts = _known(parts, {"user", "password", "host", "port", "database", "tls"})
    database = parts.get("database")
    url = f"{'rediss' if parts.get('tls') else 'redis'}://{_authority(parts, 6379)}"
    return url if database is None else f"{url}/{url_quote(database)}"


def lago_url(host: str, scheme: str = "https", port: Any = None) -> str:
    """Return the origin of a host as a browser writes it: without the scheme's own port, without a final slash."""
    if scheme not in _DEFAULT_PORTS:
        raise AnsibleFilterError("The scheme of a Lago URL is http or https.")
    number = _port(port)
    name = _host(host).lower()
    return f"{scheme}://{name}" if number in (None, _DEFAULT_PORTS[scheme]) else f"{scheme}://{name}:{number}"


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"url_quote": url_quote, "postgres_url": postgres_url, "redis_url": redis_url, "lago_url": lago_url}
