# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of this name documents the action; on a server there is nothing for it to do."""

from __future__ import annotations

from typing import Any


def test_it_says_that_it_is_an_action(run_module: Any) -> None:
    ran = run_module("backup_copy", {"path": "/var/backups/lago/one", "dest": "backups"})
    assert ran["failed"]
    assert "runs on the controller" in ran["msg"]
