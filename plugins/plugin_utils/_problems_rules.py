# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The register of rules: what is refused, each under its code. PRIVATE to the collection.

A rule is a generator over a case. It yields the variable and the sentence with the way out, once for each thing that
is wrong; its own name is the problem's code. A rule leaves alone what another one speaks of, so that one mistake is
one problem. No sentence ever repeats a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from ansible_collections.selfhosted.lago.plugins.plugin_utils import _problems_values

Problem = dict[str, str]
Found = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """What is judged.

    :param given: The variables that are defined, by name.
    :param roles: The roles of the collection that the run goes on to.
    :param names: The names of all variables of the host that begin as ours do.
    :param server: What module ``server_info`` returned.
    :param docker_expected: Whether Docker must be there by now.
    :param files: What the operator's files on the controller hold, by the variable that names them.
    :param restoring: Whether the run brings a backup back.
    :param answers: What the services said that Lago is connected to, by their names.
    :param upgrading: Whether the run brings the deployment to the wanted release.
    :param now: The controller's clock.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    roles: tuple[str, ...] = ("stack",)
    names: tuple[str, ...] = ()
    server: Mapping[str, Any] = field(default_factory=dict)
    docker_expected: bool = True
    files: Mapping[str, str | None] = field(default_factory=dict)
    restoring: bool = False
    answers: Mapping[str, Any] = field(default_factory=dict)
    upgrading: bool = True
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def values(self) -> dict[str, Any]:
        """The variables that are neither blank nor of a wrong type, as what they are declared to be."""
        return _problems_values.readable(self.given)

    def text(self, name: str) -> str:
        """Return a variable as text, blank when it cannot be judged."""
        return str(self.values.get(name, ""))

    def texts(self, *names: str) -> Iterator[tuple[str, str]]:
        """Yield the variables that can be judged, as text."""
        for name in names:
            if name in self.values:
                yield name, self.text(name)


class Rule(NamedTuple):
    """What a rule is about, and how it finds out.

    The subject is ``names``, ``types``, ``account``, ``settings``, ``server``, ``database`` for one of the
    operator's own, ``outside`` for everything else that Lago is connected to, or ``warnings`` and ``outside warnings``
    for what is allowed.
    """

    subject: str
    find: Callable[[Case], Found]


RULES: dict[str, Rule] = {}


def rule(subject: str) -> Callable[[Callable[[Case], Found]], Callable[[Case], Found]]:
    """Enter a function into the register, under its own name."""

    def enter(function: Callable[[Case], Found]) -> Callable[[Case], Found]:
        RULES[function.__name__] = Rule(subject, function)
        return function

    return enter


def problem(variable: str, code: str, message: str) -> Problem:
    """Return a problem as filters hand it out."""
    return {"variable": variable, "code": code, "message": message}


def judge(case: Case, *subjects: str) -> list[Problem]:
    """Return every problem that the rules about these subjects find, subject by subject."""
    return [
        problem(variable, code, message)
        for subject in subjects
        for code, entry in RULES.items()
        if entry.subject == subject
        for variable, message in entry.find(case)
    ]
