# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes docs/variables.md from the roles' argument specs: their comments `# == Heading` are its headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from project import ROOT

PAGE = ROOT / "docs" / "variables.md"
SHARED = "stack"
BEGINNING = """# Variables

Made by `make docs` from the roles' argument specs, which is where to change it. Every variable is judged before
anything is touched, and all that is wrong with them is said in one run. One without a value is not handed to Lago at
all: its own default holds. A secret that is not given is made on the server where that is possible; see
[secrets](secrets.md).
"""
_HEADING = re.compile(r"^ *# == (.+)$")
_OPTION = re.compile(r"^      (lago_\w+):$")
_MARKUP = re.compile(r"\b([COVP])\(([^)]*)\)")


def headings(text: str) -> dict[str, str]:
    """Return the heading of each option of a role's main entry point, blank before the first heading."""
    found: dict[str, str] = {}
    heading = ""
    for line in text.splitlines():
        if match := _HEADING.match(line):
            heading = match[1]
        elif match := _OPTION.match(line):
            found.setdefault(match[1], heading)
    return found


def words(description: str | list[str]) -> str:
    """Return a description as Markdown within one line."""
    text = description if isinstance(description, str) else " ".join(description)
    return _MARKUP.sub(lambda match: f"`{match[2]}`", text).replace("|", "\\|")


def default(option: dict[str, Any]) -> str:
    """Return what holds when the variable is not given."""
    if option.get("required"):
        return "**required**"
    value = option.get("default")
    if value is None or value in ("", [], {}):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "`" + re.sub(r"^\{\{ (.*) \}\}$", r"\1", text).replace("|", "\\|") + "`"


def kind(option: dict[str, Any]) -> str:
    """Return the type as a reader sees it."""
    name = f"list of {option['elements']}" if "elements" in option else str(option["type"])
    return name + (", secret" if option.get("no_log") else "")


def rows(options: dict[str, Any]) -> Iterator[str]:
    """Yield the table of some options."""
    yield "| Variable | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    for name, option in options.items():
        said = words(option["description"])
        if option.get("choices"):
            said += " One of: " + ", ".join(f"`{choice}`" for choice in option["choices"] if choice != "") + "."
        yield f"| `{name}` | {kind(option)} | {default(option)} | {said} |"
        for inner, sub in (option.get("options") or {}).items():
            choices = ", ".join(f"`{choice}`" for choice in sub.get("choices", []))
            said = words(sub["description"]) + (f" One of: {choices}." if choices else "")
            yield f"| &nbsp;&nbsp;`{inner}` | {kind(sub)} | {default(sub)} | {said} |"
    yield ""


def page() -> str:
    """Return the whole page."""
    lines = [BEGINNING]
    paths = sorted(ROOT.glob("roles/*/meta/argument_specs.yml"), key=lambda path: (path.parts[-3] != SHARED, path))
    for path in paths:
        lines += section(path)
    return "\n".join(lines).rstrip() + "\n"


def section(path: Path) -> Iterator[str]:
    """Yield what one role declares: the shared one by its headings, others by themselves."""
    role, text = path.parts[-3], path.read_text(encoding="utf-8")
    options = yaml.safe_load(text)["argument_specs"]["main"].get("options") or {}
    if role != SHARED:
        yield f"## Role `{role}`\n"
        yield from rows(options)
        return
    of = headings(text)
    for heading in dict.fromkeys(of.values()):
        yield f"## {heading}\n"
        yield from rows({name: option for name, option in options.items() if of[name] == heading})


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
