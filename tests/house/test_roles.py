# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: declarations equal to defaults, names that tell what they are, and tasks with manners."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.selfhosted.lago.plugins.plugin_utils._failure import CONVERGE, LEFT, Failed
from house import tree

from project import NAME, ROOT

ROLES = tree.roles()
TASKS = tree.tasks()
STACK = ROOT / "roles" / "stack" / "tasks"
# What includes the verbs, and what tells of their failures.
UNTOLD = ("main", "report_failure")
OF_A_CONVERGE = ("main", "preflight", "secrets", "render", "pull", "migrate", "up")
VERBS = (
    *OF_A_CONVERGE,
    "verify",
    "rotate",
    "refresh",
    "adopt",
    "mend_partitions",
    "test_mail",
    "prune",
    "down",
    "remove",
)
WITHOUT_A_SHELL = ("shell", "raw", "ansible.builtin.shell", "ansible.builtin.raw")
INCLUDES = "ansible.builtin.include_tasks"
SETS_VARIABLES = ("ansible.builtin.set_fact", "set_fact")

# Magic variables and those of connections; all other ansible_* are facts, which have to be asked of ansible_facts.
NOT_FACTS = re.compile(
    r"ansible_(facts|check_mode|diff_mode|verbosity|version|limit|loop(_var)?|index_var|search_path|config_file"
    r"|run_tags|skip_tags|forks|failed_(task|result)|inventory_sources|playbook_python|managed"
    r"|(play|dependent_role|parent_role|role)_\w+|role_name|collection_name"
    r"|host|port|user|password|connection|pipelining|remote_tmp|async_dir|python_interpreter"
    r"|(become|ssh|docker|paramiko|local)_\w+|become|shell_\w+)"
)
BARE_FACT = re.compile(r"(?<![\w./'\"])ansible_\w+")
EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# The sentence of a failure, `.msg`, is made to be read and holds no secret.
SECRET = re.compile(r"\b\w*(password|passwd|secret|api_key|private_key|token)s?\b(?!_|\.msg\b)")
NOT_A_SECRET_ITSELF = re.compile(r"_is_secret$|_(path|file|dir|directory|length)$")


def specs(role: Path) -> dict[str, t.Any]:
    return dict((tree.load(role / "meta" / "argument_specs.yml") or {}).get("argument_specs", {}))


def defaults(role: Path) -> dict[str, t.Any]:
    return dict(tree.load(role / "defaults" / "main.yml") or {})


def options(role: Path) -> dict[str, dict[str, t.Any]]:
    return dict(specs(role)["main"].get("options", {}))


@pytest.mark.parametrize("role", **tree.named(ROLES))
def test_the_options_of_a_role_are_its_defaults_what_is_required_and_secrets_that_may_be_left_out(role: Path) -> None:
    without = {name: option for name, option in options(role).items() if name not in defaults(role)}
    assert set(defaults(role)) - set(options(role)) == set()
    assert [name for name, option in without.items() if not option.get("required") and not option.get("no_log")] == []
    assert [name for name, option in without.items() if "default" in option] == []
    assert [name for name in defaults(role) if options(role)[name].get("required")] == []


@pytest.mark.parametrize("role", **tree.named(ROLES))
def test_every_default_is_documented_as_it_is(role: Path) -> None:
    documented = {name: option.get("default") for name, option in options(role).items() if name in defaults(role)}
    assert documented == defaults(role)


def described(options: dict[str, t.Any]) -> Iterator[tuple[str, dict[str, t.Any]]]:
    for name, option in options.items():
        yield name, option
        yield from described(option.get("options", {}))


@pytest.mark.parametrize("role", **tree.named(ROLES))
def test_every_option_has_a_type_and_a_description_and_hides_what_is_secret(role: Path) -> None:
    for entry, spec in specs(role).items():
        assert spec.get("short_description"), entry
        for name, option in described(spec.get("options", {})):
            assert option.get("type"), name
            assert option.get("description"), name
            if SECRET.search(name) and not NOT_A_SECRET_ITSELF.search(name) and option["type"] in ("str", "dict"):
                assert option.get("no_log") is True, name


@pytest.mark.parametrize("role", **tree.named(ROLES))
def test_every_entry_point_is_declared_and_exists(role: Path) -> None:
    there = {path.stem for path in (role / "tasks").glob("*.yml")}
    assert set(specs(role)) - there == set()
    assert {verb for verb in VERBS if verb in there} - set(specs(role)) == set()


def test_the_stack_has_every_verb() -> None:
    assert [verb for verb in VERBS if not (STACK / f"{verb}.yml").exists()] == []


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "main"])
def test_a_verb_tells_a_person_what_went_wrong_however_it_was_entered(verb: str) -> None:
    tasks = tree.load(STACK / f"{verb}.yml")
    told = [task for task in tasks if any(one.get(INCLUDES) == "report_failure.yml" for one in task.get("rescue", []))]
    assert len(told) == 1


@pytest.mark.parametrize(
    "path", **tree.named([path for path in sorted(STACK.glob("*.yml")) if path.stem not in UNTOLD])
)
def test_a_failure_is_told_with_the_verb_that_its_task_belongs_to(path: Path) -> None:
    named = [task.body["name"] for task in TASKS if task.path == path and "name" in task.body]
    failures = {name: Failed.of({"role_path": STACK.parent, "ansible_failed_task": {"name": name}}) for name in named}
    assert [name for name, failed in failures.items() if failed.verb not in {**CONVERGE, **LEFT}] == []


@pytest.mark.parametrize("role", **tree.named(ROLES))
def test_names_tell_what_is_public_and_what_is_computed(role: Path) -> None:
    assert [name for name in defaults(role) if not name.startswith("lago_")] == []
    computed = [name for path in sorted((role / "vars").glob("*.yml")) for name in tree.load(path) or {}]
    assert [name for name in computed if not name.startswith("_lago_")] == []


def names_made(task: tree.Task) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every variable that a task makes, with the prefixes that it may have."""
    registered = task.body.get("register")
    if isinstance(registered, str):
        yield registered, ("__lago_",)
    if task.module in SETS_VARIABLES:
        made = (name for name in task.body[task.module] if name != "cacheable")
        yield from ((name, ("_lago_", "__lago_", "lago_")) for name in made)
    yield from ((name, ("_lago_", "__lago_", "lago_")) for name in task.body.get("vars") or {})


def test_variables_made_by_tasks_are_named_like_that_too() -> None:
    made = [(str(task), name, prefixes) for task in TASKS for name, prefixes in names_made(task)]
    foreign = [one for one in made if not one[1].startswith((*one[2], "ansible_"))]
    assert foreign == []


def test_no_role_has_handlers() -> None:
    """An interrupted run forgets its handlers: restarts are computed from state."""
    assert [path for role in ROLES for path in (role / "handlers").glob("*")] == []
    assert [str(task) for task in TASKS if "notify" in task.keyword] == []


def test_no_task_uses_a_shell() -> None:
    assert [str(task) for task in TASKS if task.module in WITHOUT_A_SHELL] == []


def test_facts_are_asked_of_ansible_facts() -> None:
    places = [*(ROOT / "roles").glob("**/*.yml"), *(ROOT / "roles").glob("**/*.j2"), *ROOT.glob("playbooks/**/*.yml")]
    for path in places:
        found = BARE_FACT.findall(path.read_text())
        assert [name for name in found if not NOT_FACTS.fullmatch(name)] == [], path.relative_to(ROOT)


def variables_in(value: t.Any) -> Iterator[str]:
    """Yield the text of every expression within the arguments of a task, without what is quoted in it."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from variables_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from variables_in(inner)
    elif isinstance(value, str):
        yield from (QUOTED.sub("", found) for found in EXPRESSION.findall(value))


def hidden_by(module: str) -> set[str]:
    """Return the options of a module of this collection that its own specification declares secret.

    Core keeps those out of all that is shown, and a failure can still be read, which C(no_log) on the task forbids.
    """
    if not module.startswith(f"{NAME}."):
        return set()
    return tree.secret_options(tree.PLUGINS / "modules" / f"{module.removeprefix(f'{NAME}.')}.py")


def secrets_of(task: tree.Task) -> list[str]:
    """Return what in the task's arguments is secret by its name and not hidden by the module."""
    args = task.body.get(task.module, {})
    if isinstance(args, dict):
        args = {key: value for key, value in args.items() if key not in hidden_by(task.module)}
    found = [match[0] for text in variables_in(args) for match in SECRET.finditer(text)]
    return [name for name in found if not NOT_A_SECRET_ITSELF.search(name)]


def returns_secrets(task: tree.Task) -> bool:
    return task.module == f"{NAME}.secrets" or (task.module == f"{NAME}.api_key" and "reveal" in task.body[task.module])


def test_a_task_that_is_given_or_returns_a_secret_logs_nothing() -> None:
    talking = [task for task in TASKS if task.keyword.get("no_log") is not True]
    assert {str(task): secrets_of(task) for task in talking if secrets_of(task)} == {}
    assert [str(task) for task in talking if returns_secrets(task)] == []
