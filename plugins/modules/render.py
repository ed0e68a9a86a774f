#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: render
short_description: Renders all files of a directory in one step
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Renders templates on the controller and brings all files to their content, owner and mode with one start of a module
    on the server, whatever their number.
  - A file is replaced as a whole. A symbolic link at its place is replaced by the file, not followed.
  - Of secret files nothing is shown, at any verbosity, but that they changed; of environment files (C(.env)) also the
    names of the variables.
extends_documentation_fragment:
  - selfhosted.lago.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Of secret files the content is not shown.
  idempotent:
    support: full
options:
  directory:
    description:
      - The directory of the files, an absolute path. It is made when there are files to write. It may be a link.
      - It belongs to the user that the module runs as, and so do the directories in it that the files need.
    type: path
    required: true
  directory_mode:
    description:
      - The mode of the directory, and of the directories in it that the files need.
    type: str
    default: '0700'
  files:
    description:
      - The files.
    type: list
    elements: dict
    required: true
    suboptions:
      dest:
        description:
          - Where the file goes, relative to O(directory), or an absolute path.
        type: str
        required: true
      template:
        description:
          - A template, looked for where M(ansible.builtin.template) does, and rendered in the same way.
          - Exactly one of O(files[].template) and O(files[].content) is needed.
        type: str
      content:
        description:
          - The content itself. A dictionary or a list is written as JSON.
        type: raw
      owner:
        description:
          - The name or the number of the owner. By default the user that the module runs as.
        type: str
      group:
        description:
          - The name or the number of the group. By default the group that the module runs as.
        type: str
      mode:
        description:
          - The mode, four octal digits in quotes.
        type: str
        default: '0600'
      secret:
        description:
          - Whether the content must never be shown.
        type: bool
        default: false
  prune:
    description:
      - Patterns, relative to O(directory). Files that match one and are not among O(files) are removed.
      - A directory that matches one is removed when nothing is left in it.
    type: list
    elements: str
    default: []
  payload:
    description:
      - The rendered contents, put here by the action plugin. Not to be given in a task.
    type: str
"""

EXAMPLES = r"""
- name: The files of a deployment
  selfhosted.lago.render:
    directory: /opt/lago
    files:
      - dest: compose.yml
        template: compose.yml.j2
      - dest: env/backend.env
        template: env/backend.env.j2
        secret: true
      - dest: redis/queue.conf
        template: redis/queue.conf.j2
        owner: "999"
        mode: "0400"
        secret: true
    prune:
      - env/*.env
"""

RETURN = r"""
files:
  description: The files, by their destination as it was given.
  type: dict
  returned: success
  contains:
    changed:
      description: Whether content, owner or mode were others.
      type: bool
    mode:
      description: The mode.
      type: str
    sha256:
      description: The SHA-256 of the content. Left out for a secret file.
      type: str
  sample:
    compose.yml:
      changed: true
      mode: '0600'
      sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
removed:
  description: Paths of the files that were removed.
  type: list
  elements: str
  returned: success
failure:
  description: What went wrong, for programs.
  type: dict
  returned: failure
  contains:
    code:
      description:
        - A short name, for instance V(undefined_variable), V(template_failed), V(unknown_owner) or V(invalid_path).
      type: str
    status:
      description: Always V(null).
      type: int
    details:
      description: Further facts.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._files_render import render
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import run


def main() -> None:
    file = {
        "dest": {"type": "str", "required": True},
        "template": {"type": "str"},
        "content": {"type": "raw", "no_log": True},
        "owner": {"type": "str"},
        "group": {"type": "str"},
        "mode": {"type": "str", "default": "0600"},
        "secret": {"type": "bool", "default": False, "no_log": False},
    }
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "directory_mode": {"type": "str", "default": "0700"},
            "files": {"type": "list", "elements": "dict", "required": True, "options": file},
            "prune": {"type": "list", "elements": "str", "default": []},
            "payload": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    run(module, render)


if __name__ == "__main__":
    main()
