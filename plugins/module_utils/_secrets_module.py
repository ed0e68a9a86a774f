# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Makes the secrets of a deployment once, and keeps them as they are."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _secrets, _secrets_file, _secrets_rsa
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import outcome, secret
from ansible_collections.selfhosted.lago.plugins.module_utils._secrets import Problem
from ansible_collections.selfhosted.lago.plugins.module_utils._secrets_file import Kept
from ansible_collections.selfhosted.lago.plugins.module_utils._secrets_plan import Database, Plan, plan


def ensure(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the result of the module C(secrets).

    :raises LagoError: for every reason not to go on, all of one call in one message.
    """
    params = module.params
    path = params["path"]
    before = _secrets_file.load(path)
    given = _given(params["given"])
    database = Database(_count(params["organizations"]), _count(params["encrypted_rows"]), params["unasked"])
    rotated = [name for asked in params["rotate"] for name in _secrets.ROTATED[asked]]
    adopted = _given(params["adopt"])
    planned = plan(path, before, given, database, params["unused"], rotated, adopted)
    _refuse([*_given_problems(module, given), *planned.problems])
    after = _after(module, {**adopted, **(before.secrets if before else {})}, before, given, planned)
    _refuse(_masked(given, after))
    changed = not _secrets_file.as_it_shall_be(path, after)
    if changed and not module.check_mode:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        _secrets_file.save(module, path, after)
    for value in (*after.secrets.values(), after.file_key):
        secret(value)
    result = outcome(module, _shown(before), _shown(after), changed=changed)
    return {
        **result,
        "secrets": after.secrets,
        "made": planned.missing,
        "given": planned.given,
        "changed_secrets": _changed(before, after),
        "file_key": after.file_key,
        "known_to_everybody": [name for name, value in after.secrets.items() if _known(name, value)],
    }


def _known(name: str, value: str) -> bool:
    found = _secrets.given_problem(name, value)
    return found is not None and found.code == "placeholder_secret"


def _given(given: dict[str, t.Any]) -> dict[str, str]:
    """Return what is given; blank is not given."""
    unknown = sorted(set(given) - set(_secrets.NAMES))
    if unknown:
        known = ", ".join(_secrets.NAMES)
        raise LagoError(f"There are no secrets {', '.join(unknown)}: the names are {known}.", "unknown_secret")
    return {name: str(value) for name, value in given.items() if value is not None and value != ""}


def _count(value: t.Any) -> int | None:
    """Return a number, None for an unknown one; before ansible-core 2.19 a template that gives none gives a blank."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not str(value).isdecimal():
        raise LagoError("organizations and encrypted_rows are numbers, or null for unknown.", "invalid_count")
    return int(value)


def _given_problems(module: AnsibleModule, given: dict[str, str]) -> list[Problem]:
    problems = [_secrets.given_problem(name, value) for name, value in given.items()]
    if _secrets.RSA in given and not any(problem and _secrets.RSA in problem.names for problem in problems):
        problems.append(_secrets_rsa.problem(module, given[_secrets.RSA]))
    return [problem for problem in problems if problem]


def _masked(given: dict[str, str], after: Kept) -> list[Problem]:
    """Refuse given values that ansible-core would find in what is returned, and mask there: it would be broken."""
    texts = [*after.secrets.values(), after.file_key, *_secrets.NAMES]
    return [
        Problem("weak_secret", (name,), f"{_secrets.variable(name)} is too short: give a longer one.")
        for name, value in given.items()
        if any(value in text for text in texts)
    ]


def _refuse(problems: list[Problem]) -> None:
    if problems:
        details = {"problems": [problem.as_dict() for problem in problems]}
        raise LagoError(" ".join(problem.message for problem in problems), problems[0].code, details=details)


def _after(
    module: AnsibleModule, there: dict[str, str], before: Kept | None, given: dict[str, str], planned: Plan
) -> Kept:
    """Return what shall be kept."""
    made = {name: there[name] for name in planned.kept}
    made.update({name: _make(module, name) for name in planned.missing})
    file_key = before.file_key if before else _make(module, "file_key")
    values = {**made, **given}
    fingerprints = {name: _secrets.fingerprint(file_key, name, value) for name, value in values.items()}
    return Kept(made, fingerprints, file_key, planned.given)


def _make(module: AnsibleModule, name: str) -> str:
    if module.check_mode:
        return _secrets.placeholder(name)
    return _secrets_rsa.make(module) if name == _secrets.RSA else _secrets.make(name)


def _changed(before: Kept | None, after: Kept) -> list[str]:
    """Return the names of those that had another value before."""
    known = before.fingerprints if before else {}
    return [name for name in _secrets.NAMES if known.get(name, after.fingerprints[name]) != after.fingerprints[name]]


def _shown(kept: Kept | None) -> dict[str, t.Any]:
    """Return what may be shown: the names, and where their values come from."""
    if kept is None:
        return {}
    return {"made by the server": sorted(kept.secrets), "given by variables": sorted(kept.given)}
