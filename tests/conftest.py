# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the checkout importable as a collection and runs modules inside the test's own process."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import typing as t
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).resolve().parents[1]
COLLECTIONS = ROOT / ".cache" / "collections"


def _make_importable() -> None:
    """Let C(ansible_collections.selfhosted.lago) be this checkout, beside the installed collections."""
    home = COLLECTIONS / "ansible_collections" / "selfhosted"
    home.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (home / "lago").symlink_to(ROOT)
    if str(COLLECTIONS) not in sys.path:
        sys.path.insert(0, str(COLLECTIONS))
    try:
        import ansible_collections
    except ImportError:
        return
    if str(home.parent) not in list(ansible_collections.__path__):
        ansible_collections.__path__.insert(0, str(home.parent))


_make_importable()

try:  # since ansible-core 2.19
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core 2.18

    @contextlib.contextmanager
    def patch_module_args(args: dict[str, t.Any] | None = None) -> t.Iterator[None]:
        from ansible.module_utils import basic

        with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": args or {}}).encode()):
            yield


@pytest.fixture
def module_args() -> t.Any:
    """Return core's context manager that hands parameters to C(AnsibleModule), or its double on core 2.18."""
    return patch_module_args


class Ran(dict):
    """A module's result, with all that it wrote (to look for what must not be there) as C(text)."""

    text: str = ""


RunModule = t.Callable[..., Ran]


@pytest.fixture
def run_module() -> RunModule:
    """Return a function that runs a module of the collection: C(run_module("organization", args, check=True,"
    " diff=True))."""

    def run(name: str, args: dict[str, t.Any], check: bool = False, diff: bool = False) -> Ran:
        module = importlib.import_module(f"ansible_collections.selfhosted.lago.plugins.modules.{name}")
        given = dict(args, _ansible_check_mode=check, _ansible_diff=diff, _ansible_remote_tmp="/tmp")
        output = io.StringIO()
        with patch_module_args(given), mock.patch("sys.stdout", output), pytest.raises(SystemExit):
            module.main()
        ran = Ran(json.loads(output.getvalue()))
        ran.text = output.getvalue()
        return ran

    return run
