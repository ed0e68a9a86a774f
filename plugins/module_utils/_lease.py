# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""A lease on a deployment: a file on the server that names the run which works on it, and until when."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import secrets
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _files, _left_behind
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

MODE = 0o600
IDENTITY = ("machine", "boot_id", "pid_namespace", "pid", "process_start")

Lease = t.Dict[str, t.Any]  # noqa: UP006 - Python 3.9


def load(path: str) -> Lease | None:
    """Return the lease, None when there is none.

    :raises LagoError: C(lease_unreadable).
    """
    content = _files.read(path)
    if content is None:
        return None
    try:
        lease = json.loads(content.decode("utf-8"))
        return {
            **lease,
            "acquired": float(lease["acquired"]),
            "expires": float(lease["expires"]),
            "token": str(lease["token"]),
        }
    except (ValueError, LookupError, TypeError):
        message = (
            f"The lease {path} cannot be read: when you are sure that no other run works on this deployment, remove it."
        )
        raise LagoError(message, "lease_unreadable") from None


def ours(lease: Lease | None, holder: dict[str, t.Any]) -> bool:
    """Return whether the lease is of the very process that asks."""
    return lease is not None and all(lease.get(name) == holder.get(name) for name in IDENTITY)


def hold(path: str, lease: Lease | None, holder: dict[str, t.Any], ttl: int, ended: str | None) -> Lease:
    """Return the lease as it shall be.

    :param lease: the one that is there.
    :param holder: who asks.
    :param ttl: seconds that it shall last.
    :param ended: the token of a lease whose process was seen to have ended.
    :raises LagoError: C(lease_held), whose C(details.holder) tells who holds it.
    """
    now = time.time()
    if lease is not None and ours(lease, holder):
        return {**lease, "expires": now + ttl}
    if lease is not None and now < lease["expires"] and lease["token"] != ended:
        raise LagoError(_refusal(path, lease, now), "lease_held", details={"holder": lease})
    return {**holder, "token": secrets.token_hex(16), "acquired": now, "expires": now + ttl}


def _refusal(path: str, lease: Lease, now: float) -> str:
    minutes = max(0, int(now - lease["acquired"]) // 60)
    return (
        f"Another run works on this deployment: {lease.get('owner', 'somebody')}, process {lease.get('pid')}, "
        f"since {_clock(lease['acquired'])} ({minutes} minutes). Wait until it ends; its lease ends at "
        f"{_clock(lease['expires'])}. When you are sure that it does not run any more, remove {path} on the server."
    )


def _clock(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def store(module: AnsibleModule, path: str, lease: Lease) -> None:
    """Write the lease. Whoever does is alone."""
    text = json.dumps(lease, indent=2, sort_keys=True) + "\n"
    wanted = _files.Attributes(MODE, _files.user_id(None), _files.group_id(None))
    _files.replace(module, path, text.encode("utf-8"), wanted)


def lease(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the result of the module C(lease). It never reports a change, since a lease is no state of the system.

    :raises LagoError: C(lease_held), C(lease_unreadable), C(work_left).
    """
    params = module.params
    path, holder = params["path"], params["holder"]
    directory = os.path.dirname(path)
    if params["state"] == "released":
        return {"changed": False, "lease": None, "released": _release(module), "taken_over": False, "waited": 0}
    there = os.path.isdir(directory)
    if not module.check_mode:
        os.makedirs(directory, 0o700, exist_ok=True)
    with _files.alone(directory) if os.path.isdir(directory) else contextlib.nullcontext():
        touched = os.stat(directory).st_mtime_ns if there else None
        found = load(path)
        wanted = hold(path, found, holder, params["ttl"], params["ended"])
        if not module.check_mode:
            store(module, path, wanted)
    mine = ours(found, holder)
    waited = 0 if mine or module.check_mode else _settle(module)
    taken_over = found is not None and not mine
    return {
        "changed": False,
        "lease": wanted,
        "released": False,
        "taken_over": taken_over,
        "touched": touched,
        "waited": waited,
    }


def _release(module: AnsibleModule) -> bool:
    """Give the lease back if it is of this run; return whether it was."""
    path = module.params["path"]
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        return False
    with _files.alone(directory):
        released = ours(load(path), module.params["holder"])
        if released and not module.check_mode:
            os.unlink(path)
    return released


def _settle(module: AnsibleModule) -> int:
    """See that nothing of an ended run works on or lies about unfinished; return the seconds waited.

    :raises LagoError: C(work_left), and then the lease is given back.
    """
    path = module.params["path"]
    try:
        waited = _left_behind.wait(path, module.params["settle"])
    except LagoError:
        _release(module)
        raise
    _left_behind.tidy(os.path.dirname(path))
    return waited
