# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters about certificates: see plugin_utils/_certificates.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils import _certificates


def certificate_parts(text: str) -> dict[str, str]:
    """Return what of a file of certificates is served, what is not, and what tells it from others."""
    return _certificates.parts(str(text))


def missing_certificates(hosts: list[str], proxy: Mapping[str, Any], directory: str) -> list[str]:
    """Return the names for which no certificate of the ACME server is in the proxy's storage."""
    return list(_certificates.missing(hosts, proxy, str(directory)))


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"certificate_parts": certificate_parts, "missing_certificates": missing_certificates}
