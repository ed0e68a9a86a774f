# SPDX-License-Identifier: GPL-3.0-or-later
"""The module is run as it would be without an action, and is known to go on."""

from __future__ import annotations

from typing import Any
from unittest import mock

from ansible_collections.selfhosted.lago.plugins.action.organization import ActionModule
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _progress


def test_the_module_is_run_as_ever_while_somebody_tells(run_action: Any) -> None:
    module = mock.Mock(return_value={"changed": False, "organization": {}})
    with mock.patch.object(_progress, "told") as told:
        result = run_action(ActionModule, {"name": "Acme Billing"}, {"inventory_hostname": "billing"}, module)
    assert result["organization"] == {}
    assert "module_name" not in module.call_args.kwargs
    assert told.call_count == 1
