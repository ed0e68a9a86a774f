# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about what a release of Lago knows: options, workers, its environment. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils._environment import SINCE, VARIABLES, WORKERS_SINCE
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_releases import FIRST_RELEASE
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_specs import options
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import blank, megabytes, release, shown

_GROUPS = ("backend", "api", "workers", "clock", "front")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LEAST_MEMORY = 400


def workers(case: Case) -> list[dict[str, Any]]:
    """Return the rows of lago_workers that can be judged."""
    return [row for row in case.values.get("lago_workers", []) if not _wrong(row)]


def _wrong(row: Any) -> str:
    """Return what is wrong with a row of lago_workers, blank for nothing."""
    known = options()["lago_workers"]["options"]
    if not isinstance(row, Mapping) or "name" not in row:
        return f"{shown(row)} is no worker: write {{name: events, concurrency: 20}}."
    if row["name"] not in known["name"]["choices"]:
        return f"there is no worker {shown(row['name'])}: {', '.join(known['name']['choices'])} there are."
    strange = [key for key in row if key not in known]
    if strange:
        return f"worker {row['name']} has no {shown(strange[0])}: {', '.join(known)} can be said of it."
    for key in ("concurrency", "replicas"):
        number = row.get(key)
        if number is not None and (not str(number).isdigit() or int(number) < 1):
            return f"{key} {shown(number)} of worker {row['name']} is no number from 1 on: write digits alone."
    memory = row.get("memory")
    if memory is not None and (megabytes(memory) or 0) < _LEAST_MEMORY:
        return (
            f"memory {shown(memory)} of worker {row['name']} is less than it needs: give it {_LEAST_MEMORY}m or more."
        )
    return ""


@rule("settings")
def bad_worker(case: Case) -> Found:
    for row in case.values.get("lago_workers", []):
        if wrong := _wrong(row):
            yield "lago_workers", f"lago_workers: {wrong}"


@rule("settings")
def worker_twice(case: Case) -> Found:
    names = [row["name"] for row in workers(case)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield (
            "lago_workers",
            f"lago_workers names {name} twice: make one row of them, with replicas for more processes.",
        )


@rule("settings")
def not_yet_known(case: Case) -> Found:
    deployed = release(case.text("lago_api_version"))
    for name, first in SINCE.items():
        if (
            deployed
            and FIRST_RELEASE <= deployed < first
            and not blank(case.given.get(name))
            and case.given[name] != []
        ):
            version = "v" + ".".join(map(str, first))
            yield (
                name,
                f"{name} is known to Lago from {version} on, and {case.text('lago_api_version')} would ignore it: "
                f"remove it, or deploy {version} or newer.",
            )


@rule("settings")
def worker_not_yet_known(case: Case) -> Found:
    deployed = release(case.text("lago_api_version"))
    for row in workers(case):
        first = WORKERS_SINCE.get(row["name"])
        if deployed and first and FIRST_RELEASE <= deployed < first:
            version = "v" + ".".join(map(str, first))
            yield (
                "lago_workers",
                f"lago_workers: worker {row['name']} came with {version}, {case.text('lago_api_version')} has none: "
                f"remove the row, or deploy {version} or newer.",
            )


def _extra(case: Case) -> list[tuple[str, dict[str, Any]]]:
    extra = case.values.get("lago_extra_env", {})
    return [(group, dict(extra[group])) for group in _GROUPS if isinstance(extra.get(group), Mapping)]


@rule("settings")
def bad_extra_env(case: Case) -> Found:
    extra = case.values.get("lago_extra_env", {})
    for group, wanted in extra.items():
        if group not in _GROUPS:
            yield "lago_extra_env", f"lago_extra_env: there is no group {shown(group)}: {', '.join(_GROUPS)} there are."
        elif not isinstance(wanted, Mapping):
            yield "lago_extra_env", f"lago_extra_env: {group} is no mapping: write {group}: {{NAME: value}}."
    for group, wanted in _extra(case):
        for name, value in wanted.items():
            if not _ENV_NAME.match(str(name)):
                yield (
                    "lago_extra_env",
                    f"lago_extra_env: {shown(name)} in {group} is no name of a variable of environment: letters, "
                    "digits and _ make one.",
                )
            elif value is not None and not isinstance(value, (str, int, float)):
                yield (
                    "lago_extra_env",
                    f"lago_extra_env: {name} in {group} is no text, number or boolean: put it in quotes.",
                )


@rule("warnings")
def shadowed_variable(case: Case) -> Found:
    for group, wanted in _extra(case):
        for name in sorted(wanted):
            if name in VARIABLES:
                yield (
                    "lago_extra_env",
                    f"lago_extra_env sets {name} for {group}, past the checks of {VARIABLES[name]}, and wins over it: "
                    f"rather set {VARIABLES[name]}.",
                )
