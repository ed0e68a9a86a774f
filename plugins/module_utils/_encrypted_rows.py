# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Whether Lago can read what it encrypted.

Encrypted are the secrets of payment providers and integrations, nothing else. Lago decrypts them when a field that
needs
them is asked for, and fails (500) when the keys are others than those they were written with.
"""

from __future__ import annotations

from ansible_collections.selfhosted.lago.plugins.module_utils._client import LagoClient
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

# Field -> type -> a field of it that comes from the secrets, as harmless a one as there is; "" where there is none.
FIELDS = {
    "paymentProviders": {
        "AdyenProvider": "apiKey",
        "CashfreeProvider": "clientId",
        "FlutterwaveProvider": "secretKey",
        "GocardlessProvider": "hasAccessToken",
        "MoneyhashProvider": "apiKey",
        "StripeProvider": "secretKey",
    },
    "integrations": {
        "AnrokIntegration": "apiKey",
        "AvalaraIntegration": "licenseKey",
        "EntraIdIntegration": "clientSecret",
        "HubspotIntegration": "connectionId",
        "NetsuiteIntegration": "clientSecret",
        "OktaIntegration": "clientSecret",
        "SalesforceIntegration": "",
        "XeroIntegration": "connectionId",
    },
}


def readable(client: LagoClient, organizations: list[str] | None = None) -> str:
    """Have Lago read its encrypted rows.

    :param client: logged in.
    :param organizations: ids of those to look into; None for all of the user.
    :returns: C(yes), C(no), C(none) when there are no such rows, C(unknown) when the user may not see them or they are
        of a kind that is not known here.
    :raises LagoError: when Lago does not answer for another reason.
    """
    found: set[str] = set()
    ids = organizations or [one["id"] for one in client.organizations()]
    for organization in ids:
        for field in FIELDS:
            try:
                found.add(_readable(client, field, organization))
            except LagoError as error:
                if error.code == "server_error":
                    return "no"
                if error.code not in ("forbidden", "not_a_member"):
                    raise
                found.add("unknown")
    return next((answer for answer in ("unknown", "yes") if answer in found), "none")


def _readable(client: LagoClient, field: str, organization: str) -> str:
    """Ask for the kinds of rows first: a kind that a release does not know would make its query fail as a whole."""
    known = FIELDS[field]
    rows = client.ask(field, _query(field, ""), {}, organization)["collection"]
    kinds = sorted({row["__typename"] for row in rows})
    asked = [kind for kind in kinds if known.get(kind)]
    if asked:
        # each under a name of its own: fields of one name and different types cannot stand side by side
        fragments = " ".join(f"... on {kind} {{ {kind.lower()}: {known[kind]} }}" for kind in asked)
        client.ask(field, _query(field, fragments), {}, organization)
    if any(kind not in known for kind in kinds):
        return "unknown"
    return "yes" if asked else "none"


def _query(field: str, fragments: str) -> str:
    return f"query {field} {{ {field}(limit: 1000) {{ collection {{ __typename {fragments} }} }} }}"
