#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: explain_failure
short_description: Tells a person in one block why the tasks of a block failed
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - For the C(rescue) of a block. Prints what is wrong, where, what was changed and what was not, what to do, and the
    last lines that the services said which do not run or are not healthy. Then it fails with the message of the task
    that failed.
  - The secrets of the deployment, which are read on the server, are hidden in what it prints, and so is what looks
    like one.
  - The message of a task with C(no_log) is told if it is one of this collection's own, which never hold a secret.
options:
  project:
    description: The deployment's Compose project.
    type: str
    default: lago
  directory:
    description: The deployment's directory, where its secrets are. Defaults to V(/opt/PROJECT).
    type: path
  lines:
    description: How many lines to show of each service.
    type: int
    default: 15
  hide:
    description: Further secrets, such as the administrator's password.
    type: list
    elements: str
    default: []
  texts:
    description: Set by the action itself.
    type: list
    elements: str
    default: []
attributes:
  action:
    description: Has an action that runs on the controller.
    support: full
  check_mode:
    description: Can run in check mode, where it does the same.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: N/A
  idempotent:
    description: Changes nothing, however often it runs.
    support: full
  platform:
    description: The systems it runs on.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Lago runs
  block:
    - name: Every service runs
      community.docker.docker_compose_v2:
        project_src: /opt/lago
  rescue:
    - name: Why it does not is told
      selfhosted.lago.explain_failure:
        hide: ["{{ lago_admin_password }}"]
"""

RETURN = r"""
msg:
  description: The task that failed, and the first line of its message.
  returned: always
  type: str
failure:
  description: >-
    What the failed task returned under this name, if it was one of this collection; in any case with C(verb),
    C(task) and C(explained).
  returned: always
  type: dict
  sample: {code: lease_held, status: null, details: {}, verb: lease, task: The lease is held, explained: true}
services:
  description: The containers that are not well, with the last lines of each.
  returned: when the server answers
  type: list
  elements: dict
  sample: [{service: api, name: lago-api-1, state: exited, health: unhealthy, exit_code: 1, restarts: 3, lines: [...]}]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import run
from ansible_collections.selfhosted.lago.plugins.module_utils._service_logs import explain


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "project": {"type": "str", "default": "lago"},
            "directory": {"type": "path"},
            "lines": {"type": "int", "default": 15},
            "hide": {"type": "list", "elements": "str", "default": [], "no_log": True},
            "texts": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    run(module, explain)


if __name__ == "__main__":
    main()
