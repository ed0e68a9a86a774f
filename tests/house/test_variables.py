# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of variables says what the roles declare, under the headings that the declarations have."""

from __future__ import annotations

import sys

from project import ROOT

sys.path.insert(0, str(ROOT / "tests" / "tools"))

import variables

HEADINGS = ["Versions", "Addresses", "PostgreSQL", "Redis", "Storage", "E-mail", "Sign-in", "Licence", "PDF", "Workers"]
HEADINGS += ["Secrets", "Observability", "Limits", "The rest"]


def test_the_page_is_what_the_declarations_say() -> None:
    assert variables.PAGE.read_text(encoding="utf-8") == variables.page(), "run: make docs"


def test_every_variable_has_a_heading() -> None:
    text = (ROOT / "roles" / "stack" / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    found = variables.headings(text)
    assert [name for name, heading in found.items() if not heading] == []
    assert set(HEADINGS) <= set(found.values())
