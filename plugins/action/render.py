# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders all files of a directory on the controller and hands them to one start of the module."""

from __future__ import annotations

import json
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._files_render import encode
from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain
from ansible_collections.selfhosted.lago.plugins.plugin_utils._templates import Renderer


class ActionModule(ActionBase):
    """The action of selfhosted.lago.render; the module of this name holds its documentation."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result, without what it was called with."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        args = dict(self._task.args)
        try:
            files, contents = self._render(args.get("files"), variables)
        except LagoError as error:
            return {"failed": True, "msg": error.message, "failure": error.as_failure()}
        args.update(files=files, payload=encode(contents))
        result = self._execute_module("selfhosted.lago.render", module_args=args, task_vars=variables)
        result.pop("invocation", None)
        return result

    def _render(self, files: Any, variables: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the files without their contents, and the contents."""
        if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
            raise LagoError("files is a list of dictionaries, one for each file.", "invalid_files")
        renderer = Renderer(self._loader, self._templar, variables)
        contents = [self._content(dict(file), renderer) for file in files]
        return [
            {key: value for key, value in file.items() if key not in ("template", "content")} for file in files
        ], contents

    def _content(self, file: dict[str, Any], renderer: Renderer) -> str:
        """Return the content of one file."""
        template, content = file.get("template"), plain(file.get("content"))
        if (template is None) == (content is None):
            raise LagoError(f"{file.get('dest')}: give either template or content.", "invalid_files")
        if content is not None:
            # ansible-core makes a dictionary of a text that looks like one: it is written as to_nice_json writes it
            return json.dumps(content, indent=4, sort_keys=True) if isinstance(content, (dict, list)) else str(content)
        try:
            path = self._find_needle("templates", template)
        except AnsibleError:
            raise LagoError(
                f"{file.get('dest')}: there is no template {template} where templates are looked for.",
                "template_missing",
                details={"template": str(template)},
            ) from None
        return renderer.render(str(template), path)
