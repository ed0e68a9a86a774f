# SPDX-License-Identifier: GPL-3.0-or-later
"""The units that start a backup, read by systemd itself where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import jinja2
import pytest

TEMPLATES = Path(__file__).parents[3] / "roles" / "stack" / "templates" / "systemd"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("command", ["", "logger no backup"])
def test_systemd_takes_the_units(tmp_path: Path, command: str) -> None:
    values = {
        "lago_project": "lago",
        "lago_directory": str(tmp_path),
        "lago_backup_schedule": "*-*-* 03:00",
        "lago_backup_failure_command": command,
    }
    units = []
    for kind in ("service", "timer"):
        template = jinja2.Template((TEMPLATES / f"backup.{kind}.j2").read_text(), trim_blocks=True)
        units.append(tmp_path / f"lago-backup.{kind}")
        units[-1].write_text(template.render(values))
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "lago-backup" in line] == []
