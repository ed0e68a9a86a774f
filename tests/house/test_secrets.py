# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file that holds a secret is known to what hides secrets, and every secret variable has its canary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils._kept_secrets import READERS
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_specs import options
from house import tree
from leaks import story, vault

from project import ROOT

DEST = re.compile(r"""['"]?dest['"]?: """)
MARKED = re.compile(r"""['"]?secret['"]?: true""")
FILES = sorted((ROOT / "roles").glob("*/*/*.yml"))


def names(path: Path) -> Iterator[str]:
    """Yield the files that are declared with C(secret), with an x for what an expression in the name comes to."""
    variables: dict[str, Any] = tree.load(ROOT / "roles" / "stack" / "vars" / "main.yml")
    for declared in DEST.split(path.read_text())[1:]:
        if MARKED.search(declared):
            parts = (part.strip() for part in declared.partition(",")[0].split("~"))
            known = (str(variables.get(part, part)).strip("'\"") for part in parts)
            yield re.sub(r"\{\{.*?\}\}", "x", "".join(known))


def test_files_with_secrets_are_found() -> None:
    found = {name for path in FILES for name in names(path)}
    assert {"env/backend.env", "redis/queue.conf", "proxy/tls/x.key", "mounts/gcs.json", "docker/config.json"} <= found


@pytest.mark.parametrize("name", sorted({name for path in FILES for name in names(path)}))
def test_the_secrets_of_a_file_are_known_to_what_hides_them(name: str) -> None:
    assert [pattern for pattern in READERS if PurePath(name).match(pattern)], "plugins/module_utils/_kept_secrets.py"


def secret_variables() -> set[str]:
    """Return what is declared a secret, and the files of the controller that hold one."""
    stack = tree.load(ROOT / "roles" / "stack" / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    files = {name for name, option in stack.items() if option["type"] == "path" and re.search(r"_key(_file)?$", name)}
    return files | {name for name, option in options().items() if option.get("no_log")}


def test_every_secret_variable_has_its_canary(tmp_path: Path) -> None:
    """In tests/leaks/vault.py, by which it goes through converge, check, failures and the support bundle."""
    given: set[str] = set()
    for _cores, names in vault.ROUNDS.values():
        theirs = vault.Vault(names, tmp_path)
        given.update(theirs.variables, *(step.secrets(theirs) for step in story.STEPS))
    assert {"lago_smtp_password", "lago_tls_certificate_key"} <= secret_variables()
    assert secret_variables() - given == set()
