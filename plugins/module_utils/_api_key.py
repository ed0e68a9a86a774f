# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Finding, choosing, replacing and trying API keys."""

from __future__ import annotations

import time
import typing as t
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _key_file as key_file
from ansible_collections.selfhosted.lago.plugins.module_utils._client import LagoClient
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._key_file import StoredKey
from ansible_collections.selfhosted.lago.plugins.module_utils._organization import pick
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import mask

Data = dict[str, t.Any]


def usable(keys: list[Data], now: datetime | None = None) -> list[Data]:
    """Return the keys that have not expired."""
    now = now or datetime.now(timezone.utc)
    return [key for key in keys if not key.get("expiresAt") or _time(key["expiresAt"]) > now]


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return when if when.tzinfo else when.replace(tzinfo=timezone.utc)


def choose(keys: list[Data], name: str | None) -> Data | None:
    """Return the key called I(name), or the only one when that is None.

    :returns: None when there is none.
    :raises LagoError: C(ambiguous_api_key), naming the keys with their masked values.
    """
    found = [key for key in keys if name is None or key["name"] == name]
    if len(found) < 2:
        return found[0] if found else None
    told = [{"id": key["id"], "name": key["name"], "value": key["value"]} for key in found]
    listed = ", ".join(f"{key['name'] or 'unnamed'} ({key['value']})" for key in told)
    raise LagoError(
        f"The organization has several API keys that fit: {listed}. Set name to one of them, or give each its"
        " own name in"
        " the user interface.",
        "ambiguous_api_key",
        details={"api_keys": told},
    )


class KeyKeeper:
    """What the module C(api_key) does with one organization's key.

    C(key) is the key as it is kept, C(changed) whether anything changed, C(before) and C(after) what a diff shows.
    """

    def __init__(self, module: AnsibleModule, client: LagoClient) -> None:
        self._module = module
        self._client = client
        self._params = module.params
        self._path: str | None = self._params["path"]
        self.changed = False
        self.key: StoredKey = dict.fromkeys(key_file.FIELDS)
        self._stored: StoredKey | None = None
        if self._path:
            self._stored = key_file.read(self._path)
        elif (self._params["api_key"] or "").strip():
            self._stored = dict(self.key, api_key=self._params["api_key"].strip())
        self.before = self.after = self._shown(self._stored)

    def _shown(self, key: StoredKey | None) -> Data:
        if key is None:
            return {}
        shown: Data = {field: key[field] for field in key_file.FIELDS[1:]}
        shown["value"] = mask(key["api_key"])
        if self._path:
            shown["mode"] = key_file.mode(self._path) or "0600"
        return shown

    def ensure(self) -> str:
        """Keep the key that works, or find one; return where it comes from."""
        kept_one = self._tried()
        if kept_one is not None:
            self.key = kept_one
            if self._path and key_file.mode(self._path) != "0600":
                self.after = dict(self.before, mode="0600")
                self.changed = True
                if not self._module.check_mode:
                    key_file.make_private(self._module, self._path)
            return "stored"
        owner, keys = self._owner_and_keys()
        chosen = choose(keys, self._params["name"])
        if chosen is not None:
            key, source = self._client.api_key(owner["id"], chosen["id"]), "fetched"
            self.changed = bool(self._path)
        else:
            key, source = self._created(owner, keys), "created"
            self.changed = True
        self.key = kept(key, owner) if key["value"] is None else verified(self._client, key, owner)
        self._keep()
        return source

    def rotate(self) -> str:
        """Replace the key; return where the new one comes from."""
        owner, keys = self._owner_and_keys()
        chosen = self._own(owner, keys) or choose(keys, self._params["name"])
        if chosen is None:
            raise self._not_found(owner, keys)
        old = self._client.api_key(owner["id"], chosen["id"])
        self.before = self._shown(kept(old, owner))
        self.changed = True
        if self._module.check_mode:
            self.key = kept({"id": None, "name": old["name"], "value": None}, owner)
            self._keep()
            return "rotated"
        if self._path:
            key_file.require_writable(self._path)
        try:
            new = self._client.rotate_api_key(owner["id"], old["id"], old["name"])
        except LagoError as error:
            if error.code in ("no_answer", "unavailable", "server_error"):
                error.message += (
                    " The key may be rotated nevertheless: run with state=present, which finds the one that works."
                )
            raise
        self.key = kept(new, owner)
        self._keep()  # before anything else can fail: the old one is dead already
        verified(self._client, new, owner)
        prove_dead(self._client, old["value"])
        return "rotated"

    def _keep(self) -> None:
        if self._path and not self._module.check_mode:
            key_file.write(self._module, self._path, self.key)
        if self._path or self.changed:
            self.after = dict(self._shown(self.key), **({"mode": "0600"} if self._path else {}))

    def _tried(self) -> StoredKey | None:
        """Use the key that was kept; return it with what Lago says of it, or None when another has to be found.

        What keeps the API from answering is raised: whether the key works is unknown then, and a login would not tell.
        """
        stored, name = self._stored, self._params["name"]
        if stored is None or (self._path and name not in (None, stored["name"])):
            return None  # there is none, or it is known to be another than the one that is asked for
        found = self._client.organization_of(str(stored["api_key"]))
        if found is None:
            return None
        wanted = self._params["organization"]
        if found["name"] != wanted if wanted else found["id"] != (stored["organization_id"] or found["id"]):
            raise self._other_organization(found["name"], wanted or stored["organization_name"])
        return dict(stored, organization_id=found["id"], organization_name=found["name"])

    def _owner_and_keys(self) -> tuple[Data, list[Data]]:
        """Log in; return the organization and its keys that have not expired."""
        missing = [name for name in ("email", "password") if not (self._params[name] or "").strip()]
        if missing:
            why = "the kept API key does not fit or is refused" if self._stored else "there is no kept API key"
            raise LagoError(
                f"Set {' and '.join(missing)} (or another api_key): {why}, so the key has to be looked up after"
                " a login.",
                "credentials_missing",
                details={"options": missing},
            )
        self._client.login(self._params["email"], self._params["password"])
        owner = pick(self._client.organizations(), self._params["organization"])
        if (
            self._stored
            and not self._params["organization"]
            and self._stored["organization_id"] not in (None, owner["id"])
        ):
            raise self._other_organization(str(self._stored["organization_name"]), owner["name"])
        return owner, usable(self._client.api_keys(owner["id"]))

    def _other_organization(self, found: str, wanted: str | None) -> LagoError:
        return LagoError(
            f"The kept API key belongs to the organization '{found}', not to '{wanted}': set organization"
            " (for the role bootstrap: lago_organization_name) to the name that it"
            " has now, or remove the kept key.",
            "api_key_of_other_organization",
            details={"found": found, "wanted": wanted},
        )

    def _own(self, owner: Data, keys: list[Data]) -> Data | None:
        """Return the kept key among several, when no name chooses."""
        if self._params["name"] is not None or self._stored is None or len(keys) < 2:
            return None
        full = (self._client.api_key(owner["id"], key["id"]) for key in keys)
        return next((key for key in full if key["value"] == self._stored["api_key"]), None)

    def _created(self, owner: Data, keys: list[Data]) -> Data:
        name = self._params["name"]
        if name is None:
            raise self._not_found(owner, keys)
        if self._module.check_mode:
            return {"id": None, "name": name, "value": None}
        try:
            return self._client.create_api_key(owner["id"], name)
        except LagoError as error:
            if error.code == "feature_unavailable":
                names = [key["name"] for key in keys]
                error.message += (
                    " There are: " + (", ".join(one or "one without a name" for one in names) or "none") + "."
                )
                error.details["api_keys"] = names
            raise

    def _not_found(self, owner: Data, keys: list[Data]) -> LagoError:
        names = [key["name"] for key in keys]
        listed = ", ".join(name or "one without a name" for name in names) or "none"
        return LagoError(
            f"The organization '{owner['name']}' has no such API key that has not expired (there are:"
            f" {listed}): set name to"
            " one of them, or make one in the user interface.",
            "api_key_not_found",
            details={"api_keys": names},
        )


def verified(client: LagoClient, key: Data, owner: Data) -> StoredKey:
    """Use a key that Lago handed out; return it as it is kept.

    :raises LagoError: C(api_key_does_not_work).
    """
    found = client.organization_of(key["value"])
    if found is None or found["id"] != owner["id"]:
        raise LagoError(
            f"Lago handed out an API key of '{owner['name']}' but does not accept it for that organization: is another"
            " Lago behind /api/v1/ than behind /graphql?",
            "api_key_does_not_work",
        )
    return kept(key, owner)


def kept(key: Data, owner: Data) -> StoredKey:
    """Return a key in the form in which it is kept."""
    return {
        "api_key": key["value"],
        "id": key["id"],
        "name": key["name"],
        "organization_id": owner["id"],
        "organization_name": owner["name"],
    }


def prove_dead(client: LagoClient, value: str) -> None:
    """Use a replaced key until Lago refuses it.

    :raises LagoError: C(old_key_still_works).
    """
    for wait in (0, 0.5, 1, 2):
        time.sleep(wait)
        if client.organization_of(value) is None:
            return
    raise LagoError(
        "The key was rotated and the new one works, but Lago still accepts the old one: remove it in the user"
        " interface.",
        "old_key_still_works",
    )
