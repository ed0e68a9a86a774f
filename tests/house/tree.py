# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as its own tests read it: plugins, roles, tasks, and all files that git knows or would take."""

from __future__ import annotations

import ast
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from project import ROOT, files

PLUGINS = ROOT / "plugins"
ROLES = ROOT / "roles"
DOCUMENTATION = ("DOCUMENTATION", "EXAMPLES", "RETURN")


class _Loader(yaml.SafeLoader):
    """Reads Ansible's own tags as plain values."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: getattr(node, "value", None))


def load(path: Path) -> t.Any:
    """Return what a YAML file holds, None if it is empty or not there."""
    return yaml.load(path.read_text(), Loader=_Loader) if path.exists() else None


def plugins(kind: str) -> list[Path]:
    """Return the files of a kind of plugin, the packages' own left out."""
    return sorted(path for path in (PLUGINS / kind).glob("*.py") if path.name != "__init__.py")


def roles() -> list[Path]:
    return sorted(path for path in ROLES.glob("*") if path.is_dir())


def named(paths: list[Path]) -> dict[str, t.Any]:
    """Return the arguments of a parametrize over paths that shows their names."""
    return {"argvalues": paths, "ids": [path.stem for path in paths]}


@cache
def strings(path: Path) -> dict[str, tuple[str, int]]:
    """Return the documentation strings of a plugin's file by name, each with the number of lines that it takes."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in DOCUMENTATION and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                found[name] = (node.value.value, (node.end_lineno or node.lineno) - node.lineno + 1)
    return found


def documentation(path: Path) -> dict[str, t.Any]:
    """Return a plugin's own documentation, as data."""
    text, _ = strings(path).get("DOCUMENTATION", ("{}", 0))
    return dict(yaml.safe_load(text))


def imported(path: Path) -> Iterator[str]:
    """Yield the full name of every module that a Python file imports, with what it takes out of it as the last part."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = f"{'.' * node.level}{node.module or ''}"
            yield from (f"{base}.{alias.name}" for alias in node.names)


def secret_options(path: Path) -> set[str]:
    """Return the names of a module's options that its specification declares C(no_log)."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        for name, value in _entries(node):
            no_log = dict(_entries(value)).get("no_log")
            if isinstance(no_log, ast.Constant) and no_log.value is True:
                found.add(name)
    return found


def _entries(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield names and values of a dictionary that is written out, or of a keyword argument."""
    if isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value


@dataclass(frozen=True)
class Task:
    """A task of a role or a playbook, with what the blocks around it say."""

    path: Path
    body: dict[str, t.Any]
    outer: dict[str, t.Any]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}: {self.body.get('name', self.body)}"

    @property
    def keyword(self) -> dict[str, t.Any]:
        return {**self.outer, **self.body}

    @property
    def module(self) -> str:
        """The module or action: the one key with a dot, or the old short name of one."""
        dotted = [key for key in self.body if "." in key]
        short = [key for key in self.body if key in ("shell", "raw", "command", "set_fact", "debug", "assert", "meta")]
        return str((dotted or short or [""])[0])


def _tasks(path: Path, listed: t.Any, outer: dict[str, t.Any]) -> Iterator[Task]:
    for body in listed or []:
        inner = [body[part] for part in ("block", "rescue", "always") if part in body]
        if inner:
            kept = {key: value for key, value in body.items() if key == "no_log"}
            for part in inner:
                yield from _tasks(path, part, {**outer, **kept})
        else:
            yield Task(path, body, outer)


def role_tasks() -> Iterator[Task]:
    """Yield every task of every role, those in blocks too."""
    for path in sorted(ROLES.glob("*/tasks/**/*.yml")):
        yield from _tasks(path, load(path), {})


def play_tasks() -> Iterator[Task]:
    """Yield every task of every playbook."""
    for path in sorted((ROOT / "playbooks").glob("**/*.yml")):
        for play in load(path) or []:
            for part in ("pre_tasks", "tasks", "post_tasks"):
                yield from _tasks(path, play.get(part), {key: value for key, value in play.items() if key == "no_log"})


def tasks() -> list[Task]:
    return [*role_tasks(), *play_tasks()]


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file of the project with its text."""
    for path in files():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content[:1024]:
            yield path, content.decode(errors="replace")
