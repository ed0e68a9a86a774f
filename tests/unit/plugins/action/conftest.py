# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Actions with the real loader and templar of ansible-core, their module replaced by a recorder."""

from __future__ import annotations

import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret
from ansible.template import Templar

VAULT_PASSWORD = b"of the vault"
Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def run_action(tmp_path: Path) -> Run:
    """Return a function that runs an action class with arguments and variables, answering for its module."""

    def run(
        action_class: t.Any, args: dict[str, t.Any], variables: dict[str, t.Any], module: t.Any
    ) -> dict[str, t.Any]:
        loader = DataLoader()
        loader.set_basedir(str(tmp_path))
        loader.set_vault_secrets([("default", VaultSecret(VAULT_PASSWORD))])
        task = mock.MagicMock(args=args, async_val=0, check_mode=False, diff=True)
        task.get_search_path.return_value = [str(tmp_path / "role"), str(tmp_path)]
        variables = {"ansible_search_path": [str(tmp_path / "role"), str(tmp_path)], **variables}
        action = action_class(
            task=task,
            connection=mock.MagicMock(),
            play_context=mock.MagicMock(check_mode=False),
            loader=loader,
            templar=Templar(loader=loader, variables=variables),
            shared_loader_obj=mock.MagicMock(),
        )
        with mock.patch.object(action, "_execute_module", module):
            return t.cast("dict[str, t.Any]", action.run(task_vars=variables))

    return run
