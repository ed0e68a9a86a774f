# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins: documented, tested, small, and importing in one direction only."""

from __future__ import annotations

import importlib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml
from house import tree

from project import ROOT

LINES_OF_SHARED_CODE = 300
LINES_OF_A_MODULE = 60
CHAIN = ("_errors", "_http", "_container", "_client", "_resource")
PACKAGE = "ansible_collections.selfhosted.lago.plugins"
NOT_IN_A_MODULE = ("urllib", "http", "socket", "ssl", "subprocess", "requests", "ansible.module_utils.urls")
NOT_BELOW = ("modules", "action", "filter", "plugin_utils")
MODULES = tree.plugins("modules")
ACTIONS = tree.plugins("action")
FILTERS = tree.plugins("filter")
SHARED = tree.plugins("module_utils")
UNIT = ROOT / "tests" / "unit" / "plugins"


def filter_names(path: Path) -> list[str]:
    plugin = importlib.import_module(f"{PACKAGE}.filter.{path.stem}")
    return sorted(plugin.FilterModule().filters())


@pytest.mark.parametrize("path", **tree.named(MODULES))
def test_a_module_is_documented_with_examples_and_return_values(path: Path) -> None:
    strings = tree.strings(path)
    assert [name for name in tree.DOCUMENTATION if not strings.get(name, ("", 0))[0].strip()] == []
    assert f"selfhosted.lago.{path.stem}:" in strings["EXAMPLES"][0]


@pytest.mark.parametrize("path", **tree.named(MODULES))
def test_a_module_is_a_page_of_declaration(path: Path) -> None:
    own = len(path.read_text().splitlines()) - sum(lines for _, lines in tree.strings(path).values())
    assert own < LINES_OF_A_MODULE
    assert [name for name in tree.imported(path) if name.startswith(NOT_IN_A_MODULE)] == []


@pytest.mark.parametrize("path", **tree.named(MODULES))
def test_a_module_supports_check_mode(path: Path) -> None:
    assert "supports_check_mode=True" in path.read_text()


@pytest.mark.parametrize("path", **tree.named(MODULES))
def test_a_module_is_in_the_readme_or_the_docs(path: Path) -> None:
    written = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
    said = "\n".join(page.read_text() for page in written if page.exists())
    assert f"`selfhosted.lago.{path.stem}`" in said or f"`{path.stem}`" in said


@pytest.mark.parametrize(
    "path", argvalues=[*MODULES, *ACTIONS, *FILTERS], ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_a_plugin_has_unit_tests_where_one_looks_for_them(path: Path) -> None:
    tests = sorted((UNIT / path.parent.name).glob(f"test_{path.stem}*.py"))
    assert any("def test_" in one.read_text() for one in tests)


@pytest.mark.parametrize("path", **tree.named(ACTIONS))
def test_an_action_has_the_module_that_documents_it(path: Path) -> None:
    assert tree.PLUGINS / "modules" / path.name in MODULES


@pytest.mark.parametrize("path", **tree.named(FILTERS))
def test_every_filter_of_a_file_is_documented(path: Path) -> None:
    for name in filter_names(path):
        sidecar = path.with_name(f"{name}.yml")
        if sidecar.exists():
            parts = yaml.safe_load(sidecar.read_text())
            assert [part for part in tree.DOCUMENTATION if not parts.get(part)] == [], name
            told = parts["DOCUMENTATION"]["name"], str(parts["EXAMPLES"])
        else:
            assert name == path.stem, f"{name} has no {sidecar.name}"
            assert set(tree.strings(path)) == set(tree.DOCUMENTATION)
            told = tree.documentation(path)["name"], tree.strings(path)["EXAMPLES"][0]
        assert told[0] == name
        assert f"selfhosted.lago.{name}" in told[1]


def test_no_filter_is_documented_that_does_not_exist() -> None:
    there = {name for path in FILTERS for name in filter_names(path)}
    assert {path.stem for path in (tree.PLUGINS / "filter").glob("*.yml")} - there == set()


def test_the_action_group_holds_exactly_the_modules_with_connection_options() -> None:
    groups = tree.load(ROOT / "meta" / "runtime.yml")["action_groups"]
    connecting = [
        f"selfhosted.lago.{path.stem}"
        for path in MODULES
        if "selfhosted.lago.api" in tree.documentation(path).get("extends_documentation_fragment", [])
    ]
    assert sorted(groups["lago"]) == sorted(connecting)


@pytest.mark.parametrize("path", **tree.named(SHARED))
def test_shared_code_is_private_and_small(path: Path) -> None:
    assert path.stem.startswith("_")
    assert len(path.read_text().splitlines()) <= LINES_OF_SHARED_CODE


def shared_imports(path: Path) -> set[str]:
    """Return the names of the collection's shared files that a file imports."""
    prefix = f"{PACKAGE}.module_utils."
    found = {name.removeprefix(prefix).split(".")[0] for name in tree.imported(path) if name.startswith(prefix)}
    assert found <= {shared.stem for shared in SHARED}
    return found


def test_shared_code_imports_in_one_direction() -> None:
    graph = {path.stem: shared_imports(path) for path in SHARED}
    list(TopologicalSorter(graph).static_order())  # raises CycleError
    for place, name in enumerate(CHAIN):
        assert graph.get(name, set()) & set(CHAIN[place:]) == set(), f"{name} imports what stands above it"


@pytest.mark.parametrize("path", **tree.named(SHARED))
def test_shared_code_knows_nothing_of_what_uses_it(path: Path) -> None:
    above = tuple(f"{PACKAGE}.{kind}" for kind in NOT_BELOW)
    assert [name for name in tree.imported(path) if name.startswith(above)] == []
    assert [name for name in tree.imported(path) if name.startswith(".")] == []


@pytest.mark.parametrize("path", **tree.named(MODULES))
def test_a_module_does_not_import_another(path: Path) -> None:
    assert [name for name in tree.imported(path) if name.startswith(f"{PACKAGE}.modules")] == []
