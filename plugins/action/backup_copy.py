# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies a backup of a server to the controller, a piece at a time."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shlex
import shutil
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _progress

#: Bytes of a piece: held in memory several times, here and by the connection.
PIECE = 16 << 20
_MANIFEST = "manifest.json"


class ActionModule(ActionBase):
    """The action of selfhosted.lago.backup_copy; the module of this name holds its documentation."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return where the copy is."""
        super().run(tmp, task_vars)
        _ignored, args = self.validate_argument_spec(
            argument_spec={"path": {"type": "str", "required": True}, "dest": {"type": "str", "required": True}}
        )
        source = args["path"].rstrip("/")
        folder = os.path.abspath(os.path.expanduser(args["dest"]))
        final = os.path.join(folder, os.path.basename(source))
        if os.path.lexists(final):
            return {"changed": False, "path": final}
        if not self._task.check_mode:
            with _progress.told(self._task, task_vars, 10):
                self._copy(source, folder, final)
        return {"changed": True, "path": final}

    def _copy(self, source: str, folder: str, final: str) -> None:
        """Copy a backup under another name, which is changed at the very end."""
        unfinished = os.path.join(folder, f".{os.path.basename(final)}.unfinished")
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            shutil.rmtree(unfinished, ignore_errors=True)
            os.mkdir(unfinished, 0o700)
            try:
                self._files(source, unfinished)
                os.rename(unfinished, final)
            except BaseException:
                shutil.rmtree(unfinished)
                raise
        except OSError as error:
            raise AnsibleActionFail(
                f"{error.filename or folder}: {error.strerror}. The backup {source} stays on the server; see to "
                "lago_backup_fetch_to and run again."
            ) from None

    def _files(self, source: str, target: str) -> None:
        """Copy the files of a backup, the manifest first: it tells which others there are."""
        self._file(source, target, f"{_MANIFEST}.sha256")
        with open(os.path.join(target, f"{_MANIFEST}.sha256"), encoding="utf-8") as file:
            self._file(source, target, _MANIFEST, file.read().split()[0])
        with open(os.path.join(target, _MANIFEST), encoding="utf-8") as file:
            parts = json.load(file)["parts"].values()
        for part in parts:
            self._file(source, target, os.path.basename(part["file"]), part["sha256"])

    def _file(self, source: str, target: str, name: str, sha256: str | None = None) -> None:
        """Copy a file and compare it."""
        found, number = hashlib.sha256(), 0
        path = os.path.join(target, name)
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            more = True
            while more:
                piece = self._piece(f"{source}/{name}", number)
                file.write(piece)
                found.update(piece)
                number, more = number + 1, len(piece) == PIECE
        if sha256 not in (None, found.hexdigest()):
            raise AnsibleActionFail(
                f"{source}/{name} is not what its backup says it is, there or on its way here: it is not kept. Take "
                "another backup."
            )

    def _piece(self, path: str, number: int) -> bytes:
        """Return a piece of a file of the server, shorter at its end."""
        read = f"dd if={shlex.quote(path)} bs={PIECE} skip={number} count=1 iflag=fullblock status=none | base64"
        said = self._low_level_execute_command(f"test -r {shlex.quote(path)} && {read}")
        if said["rc"]:
            raise AnsibleActionFail(f"{path} cannot be read on the server: {said['stderr'].strip() or said['rc']}")
        return base64.b64decode(said["stdout"])
