# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole tree: what runs anywhere names no machine, and every Python file says its licence."""

from __future__ import annotations

import re

from house import tree

# Written in parts, so that this file does not find itself.
MACHINES = ("/work/" + "main", "/work/" + "shared", "/root/" + ".pyenv", "/opt/" + "wheels", "/opt/" + "pypi")
REGISTRIES = re.compile(r"(pypi\.org|pythonhosted\.org|npmjs\.(org|com)|deb\.debian\.org|security\.debian\.org)")
LICENCE = "SPDX-License-Identifier: GPL-3.0-or-later"


def test_nothing_names_a_path_of_one_machine() -> None:
    found = [(str(path), name) for path, text in tree.texts() for name in MACHINES if name in text]
    assert found == []


def test_nothing_names_the_host_of_a_package_registry() -> None:
    found = [(str(path), match[0]) for path, text in tree.texts() for match in REGISTRIES.finditer(text)]
    assert found == []


def test_every_python_file_says_its_licence() -> None:
    python = [(path, text) for path, text in tree.texts() if path.suffix == ".py" and text.strip()]
    assert [str(path) for path, text in python if LICENCE not in "\n".join(text.splitlines()[:6])] == []
