# SPDX-License-Identifier: GPL-3.0-or-later
"""The bundle on the controller: one file, its owner's alone."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.action import support_bundle

SEEN = {"changed": False, "files": {"logs/lago-api-1.log": "é\n"}, "invocation": {}}


@pytest.fixture
def pack(run_action: Any, tmp_path: Path) -> Any:
    def run(seen: dict[str, Any], check: bool = False) -> dict[str, Any]:
        variables = {"inventory_hostname": "billing", "ansible_check_mode": check}
        module = mock.Mock(return_value=dict(seen))
        return dict(run_action(support_bundle.ActionModule, {"dest": str(tmp_path)}, variables, module))

    return run


def test_one_file_of_its_owner_with_all_texts(pack: Any, tmp_path: Path) -> None:
    result = pack(SEEN)
    path = Path(result["path"])
    assert path.parent == tmp_path
    assert path.name.startswith("lago-support-billing-2")
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        files = {entry.name.partition("/")[2]: archive.extractfile(entry) for entry in archive}
        assert sorted(files) == result["contents"] == ["controller.txt", "logs/lago-api-1.log"]
        log = files["logs/lago-api-1.log"]
        assert log and log.read().decode() == "é\n"
    assert "files" not in result and "invocation" not in result


def test_check_mode_writes_nothing(pack: Any, tmp_path: Path) -> None:
    result = pack(SEEN, check=True)
    assert (result["changed"], result["path"]) == (True, None)
    assert list(tmp_path.glob("*.tar.gz")) == []


def test_a_failure_is_handed_on(pack: Any) -> None:
    assert pack({"failed": True, "msg": "x"}) == {"failed": True, "msg": "x"}


def test_what_is_in_it_is_not_for_the_server_s_journal(run_action: Any, tmp_path: Path) -> None:
    module = mock.Mock(return_value=dict(SEEN))
    run_action(support_bundle.ActionModule, {"dest": str(tmp_path)}, {}, module)
    assert module.call_args.kwargs["task_vars"]["ansible_no_target_syslog"] is True
