# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs what the module read on the server into one file of the controller."""

from __future__ import annotations

import io
import os
import sys
import tarfile
import time
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.release import __version__


class ActionModule(ActionBase):
    """The action of selfhosted.lago.support_bundle; the module of this name holds its documentation."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return where the bundle is and what is in it, without the texts themselves."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        # The facts are not for the server's journal, where the arguments of every module go
        unlogged = {**variables, "ansible_no_target_syslog": True}
        seen = self._execute_module(
            "selfhosted.lago.support_bundle", module_args=dict(self._task.args), task_vars=unlogged
        )
        seen.pop("invocation", None)
        if seen.get("failed"):
            return dict(seen)
        files = {**seen["files"], "controller.txt": f"ansible-core {__version__}\nPython {sys.version}\n"}
        name = f"lago-support-{variables.get('inventory_hostname')}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        path = os.path.join(os.path.expanduser(str(self._task.args["dest"])), f"{name}.tar.gz")
        if variables.get("ansible_check_mode"):
            return {"changed": True, "path": None, "contents": sorted(files)}
        return {"changed": True, "path": _pack(path, name, files), "contents": sorted(files)}


def _pack(path: str, name: str, files: Mapping[str, str]) -> str:
    """Write the file, which is its owner's alone from its first moment, and return its absolute path."""
    path = os.path.abspath(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target, tarfile.open(fileobj=target, mode="w:gz") as archive:
        for file, text in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{file}")
            content = text.encode("utf-8", "replace")
            entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
            archive.addfile(entry, io.BytesIO(content))
    return path
