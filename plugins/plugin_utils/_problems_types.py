# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that hold for every variable: its name, whether it is there, its type. PRIVATE to the collection.

Ansible checks the argument specs too, but stops there: what is wrong beyond the types would be heard of in the next
run only. So the types are judged here as well, by Ansible's own readers and together with all the rest.
"""

from __future__ import annotations

import difflib
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils._environment import RENAMED
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_specs import OUTPUTS, options, required, secrets
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import blank, read, shown, strange

_PREFIX = "lago_"
#: How alike two names are, beyond their prefix, when one is taken for a slip of the other.
_ALIKE = 0.8


def known_names(names: list[str]) -> list[str]:
    """Return those of the names that a role declares."""
    return [name for name in names if name in options()]


def _nearest(name: str) -> str | None:
    """Return the known variable that was probably meant."""
    rest = {known.removeprefix(_PREFIX): known for known in sorted({*options(), *OUTPUTS})}
    asked = name.removeprefix(_PREFIX)
    for known, variable in rest.items():
        if sorted(known.split("_")) == sorted(asked.split("_")):
            return variable
    found = difflib.get_close_matches(asked, rest, n=1, cutoff=_ALIKE)
    return rest[found[0]] if found else None


@rule("names")
def renamed(case: Case) -> Found:
    for name in sorted(set(case.names) & set(RENAMED)):
        yield name, f"{name} is no variable of this collection: use {RENAMED[name]}."


@rule("names")
def unknown_name(case: Case) -> Found:
    for name in sorted(set(case.names) - set(options()) - OUTPUTS - set(RENAMED)):
        # A name that is like none of ours is its owner's business.
        if name.startswith(_PREFIX) and (nearest := _nearest(name)):
            yield (
                name,
                f"{name} is no variable of this collection: {nearest} is meant? Correct the name; a variable of your "
                "own is better called without lago_ in front.",
            )


@rule("types")
def missing(case: Case) -> Found:
    for name, option in required(case.roles).items():
        if blank(case.given.get(name)):
            what = option["description"]
            what = str(what if isinstance(what, str) else what[0])
            yield name, f"Set {name}: {what[:1].lower()}{what[1:]}"


@rule("types")
def blank_value(case: Case) -> Found:
    hidden = secrets()
    for name, value in case.given.items():
        option = options().get(name, {"required": True})
        if option.get("required") or name in hidden or not blank(value):
            continue
        if value is None and "default" in option and option["default"] is None:
            continue
        typed = option["type"] not in ("str", "path") or value not in option.get("choices", [value])
        if value is None or not blank(option.get("default")) or typed:
            shape = "has no value" if value is None else "is blank"
            yield name, f"{name} {shape}: give it one, or leave it out for its default."


def _misread(case: Case, *types: str) -> list[tuple[str, Any]]:
    """Return the variables of these types whose values cannot be read as such."""
    found = []
    for name, value in case.given.items():
        option = options().get(name)
        if option is None or option["type"] not in types or blank(value):
            continue
        # What is none of the choices has a rule of its own, which speaks of each of a list.
        if "choices" in option and (option["type"] != "list" or isinstance(value, (list, tuple))):
            continue
        try:
            read(name, value)
        except (TypeError, ValueError):
            found.append((name, value))
    return found


@rule("types")
def not_a_number(case: Case) -> Found:
    for name, value in _misread(case, "int"):
        yield name, f"{name} {shown(value)} is no whole number: write digits alone."


@rule("types")
def not_a_fraction(case: Case) -> Found:
    for name, value in _misread(case, "float"):
        yield name, f"{name} {shown(value)} is no number: write it like 0.25."


@rule("types")
def not_true_or_false(case: Case) -> Found:
    for name, value in _misread(case, "bool"):
        yield (
            name,
            f"{name} {shown(value)} is neither true nor false, and Lago would take it for false: write true or false.",
        )


@rule("types")
def not_a_list(case: Case) -> Found:
    for name, _value in _misread(case, "list"):
        yield name, f"{name} must be a list: write [one, another]."


@rule("types")
def not_a_mapping(case: Case) -> Found:
    for name, _value in _misread(case, "dict"):
        yield name, f"{name} must be a mapping: write {{key: value}}."


@rule("types")
def not_text(case: Case) -> Found:
    for name, value in _misread(case, "str", "path"):
        if name not in secrets():
            kind = type(value).__name__.lstrip("_").lower()
            said = "true or false" if isinstance(value, bool) else "a list" if "list" in kind else "no text"
            yield name, f"{name} must be text, and YAML reads it as {said}: put the value in quotes."


@rule("types")
def unquoted_secret(case: Case) -> Found:
    for name in secrets():
        # As a number it has already lost leading zeros, and as a truth its spelling.
        if not blank(case.given.get(name)) and not isinstance(case.given[name], str):
            yield name, f"{name} is read by YAML as something else than text, and changed by that: put it in quotes."


@rule("types")
def not_a_choice(case: Case) -> Found:
    for name, value in case.given.items():
        option = options().get(name, {"type": "raw"})
        for one in [] if blank(value) else strange(option, value):
            choices = option["choices"]
            near = difflib.get_close_matches(str(one), choices, n=1)
            meant = f" '{near[0]}' is meant?" if near else ""
            yield name, f"{name} {shown(one)} is not one of: {', '.join(choices)}.{meant}"
