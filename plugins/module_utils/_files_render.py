# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Brings all files of a directory to their wanted content, owner and mode."""

from __future__ import annotations

import base64
import glob
import hashlib
import json
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _files
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._files import Attributes
from ansible_collections.selfhosted.lago.plugins.module_utils._files_diff import file_diff


class Wanted(t.NamedTuple):
    """A file as it shall be."""

    dest: str
    path: str
    content: bytes
    attributes: Attributes
    secret: bool


def encode(contents: list[str]) -> str:
    """Return the contents as one opaque text: as single values, core would mask every text that holds one of them."""
    return base64.b64encode(json.dumps([str(content) for content in contents]).encode("utf-8")).decode("ascii")


def decode(payload: str) -> list[bytes]:
    """Return what L(encode) was given, as bytes."""
    return [content.encode("utf-8") for content in json.loads(base64.b64decode(payload))]


def render(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the result of the module C(render).

    :raises LagoError: for a destination that cannot be what it is wanted to be.
    """
    directory = Directory(module)
    wanted = directory.wanted()
    changed = directory.make(wanted) if wanted else False
    files: dict[str, t.Any] = {}
    for file in wanted:
        files[file.dest] = {"changed": directory.bring(file), "mode": f"{file.attributes.mode:04o}"}
        if not file.secret:
            files[file.dest]["sha256"] = hashlib.sha256(file.content).hexdigest()
    removed = directory.prune({file.path for file in wanted})
    changed = changed or bool(removed) or any(file["changed"] for file in files.values())
    result = {"changed": changed, "files": files, "removed": removed}
    return dict(result, diff=directory.diff) if getattr(module, "_diff", False) else result


class Directory:
    """The directory of the files. In check mode it is only looked at."""

    def __init__(self, module: AnsibleModule) -> None:
        params = module.params
        if not os.path.isabs(params["directory"]):
            raise LagoError(f"directory {params['directory']} is not absolute: give it from / on.", "invalid_path")
        self.module = module
        self.root = os.path.realpath(params["directory"])
        self.diff: list[dict[str, str]] = []
        mode = _files.parse_mode(params["directory_mode"])
        self.attributes = Attributes(mode, _files.user_id(None), _files.group_id(None))

    def wanted(self) -> list[Wanted]:
        """Return the files of the module's options."""
        contents = decode(self.module.params["payload"])
        files = self.module.params["files"]
        if len(files) != len(contents):
            raise LagoError("The files and their contents do not match: call render as a task.", "invalid_payload")
        wanted = [self._wanted(file, content) for file, content in zip(files, contents)]
        paths = [file.path for file in wanted]
        twice = sorted({path for path in paths if paths.count(path) > 1})
        if twice:
            raise LagoError(f"Two files have the same destination: {', '.join(twice)}.", "duplicate_destination")
        return wanted

    def _wanted(self, file: dict[str, t.Any], content: bytes) -> Wanted:
        check = self.module.check_mode
        attributes = Attributes(
            _files.parse_mode(file["mode"]),
            _files.user_id(file["owner"], check),
            _files.group_id(file["group"], check),
        )
        return Wanted(file["dest"], self._path(file["dest"]), content, attributes, file["secret"])

    def _path(self, dest: str) -> str:
        """Return the absolute path; a relative one stays in the directory, whatever symbolic links there are."""
        if os.path.isabs(dest):
            return os.path.normpath(dest)
        path = os.path.normpath(os.path.join(self.root, dest))
        if path == self.root or not self._inside(os.path.realpath(os.path.dirname(path))):
            raise LagoError(f"{dest} leads out of {self.root}: give a path in it, or an absolute one.", "invalid_path")
        return path

    def _inside(self, path: str) -> bool:
        return os.path.commonpath([self.root, path]) == self.root

    def make(self, wanted: list[Wanted]) -> bool:
        """Make the directories of the files as they shall be; return whether one was not."""
        parents = {os.path.dirname(file.path) for file in wanted}
        own = {self.root}
        for parent in parents:
            above = parent
            while self._inside(above) and above not in own:
                own.add(above)
                above = os.path.dirname(above)
        changed = [self._make(path) for path in sorted(own)]
        if not self.module.check_mode:
            for parent in sorted(parents - own):
                os.makedirs(parent, exist_ok=True)
        return any(changed)

    def _make(self, path: str) -> bool:
        before = _files.attributes(path)
        if before == self.attributes:
            return False
        if os.path.lexists(path) and not os.path.isdir(path):
            raise LagoError(f"{path} is no directory, one is to be there: move it away.", "not_a_directory")
        self.diff.append(file_diff(f"{path}/", False, (None, before), (None, self.attributes)))
        if not self.module.check_mode:
            os.makedirs(path, 0o700, exist_ok=True)
            _files.set_attributes(path, self.attributes)
        return True

    def bring(self, file: Wanted) -> bool:
        """Bring a file to its wanted state; return whether it was in another."""
        content = _files.read(file.path)
        before = None if content is None else _files.attributes(file.path)
        if (content, before) == (file.content, file.attributes):
            return False
        self.diff.append(file_diff(file.path, file.secret, (content, before), (file.content, file.attributes)))
        if self.module.check_mode:
            return True
        if content == file.content:
            _files.set_attributes(file.path, file.attributes)
        else:
            _files.write(self.module, file.path, file.content, file.attributes)
        return True

    def prune(self, kept: set[str]) -> list[str]:
        """Remove what matches the option C(prune) and is not kept, directories only when nothing is left in them.

        :returns: the paths.
        """
        found: set[str] = set()
        for pattern in self.module.params["prune"]:
            if os.path.isabs(pattern) or ".." in pattern.split("/"):
                raise LagoError(f"prune {pattern} leads out of {self.root}: give a pattern in it.", "invalid_path")
            found.update(glob.glob(os.path.join(glob.escape(self.root), pattern)))
        removed: list[str] = []
        # What is in a directory before the directory
        for path in sorted(found - kept, reverse=True):
            is_directory = os.path.isdir(path) and not os.path.islink(path)
            if not self._inside(os.path.realpath(os.path.dirname(path))) or (
                is_directory and not _emptied(path, removed)
            ):
                continue
            removed.append(path)
            # Never the content: nobody said whether it was a secret
            content = None if is_directory else b""
            self.diff.append(file_diff(path, True, (content, _files.attributes(path)), (None, None)))
            if not self.module.check_mode:
                (os.rmdir if is_directory else os.unlink)(path)
        return sorted(removed)


def _emptied(directory: str, removed: list[str]) -> bool:
    """Return whether nothing is in the directory but what is removed, which in check mode is still there."""
    return all(os.path.join(directory, name) in removed for name in os.listdir(directory))
