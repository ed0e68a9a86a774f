# SPDX-License-Identifier: GPL-3.0-or-later
"""Before anything is installed: check mode says what would be done, and does nothing."""

from __future__ import annotations

from outside.deployment import Deployment


def test_check_mode_on_a_bare_server_fails_at_nothing_and_changes_nothing(deployment: Deployment) -> None:
    before = deployment.written()
    run = deployment.run("--check", "--diff")
    assert run.code == 0, run.output
    assert run.recap["changed"] > 0, "a bare server is no deployment, and check mode must say so"
    assert deployment.written() == before
    assert not deployment.exists("/opt/lago")
    assert deployment.shell("sh", "-c", "command -v docker git || true") == ""


def test_wrong_variables_are_all_named_before_anything_is_touched(deployment: Deployment) -> None:
    before = deployment.written()
    run = deployment.run(
        playbook=str(deployment.inventory.parent / "stack_only.yml"),
        lago_domain="https://billing.example.com/",
        lago_version="latest",
        lago_api_memory="plenty",
    )
    assert run.code != 0
    for variable in (
        "lago_domain",
        "lago_api_version",
        "lago_front_version",
        "lago_api_memory",
        "selfhosted.lago.docker",
    ):
        assert variable in run.output
    assert deployment.written() == before
