#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: support_bundle
short_description: Packs what somebody who helps needs to see, without secrets
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Reads versions, configuration, states, logs and Lago's own diagnostics of one deployment, and writes them into one
    file on the controller, which only its owner can read. Nothing is written on the server.
  - The secrets of the deployment are read on the server and taken out of every text, in whatever way they are written
    there. In environment files all values are hidden but those that are known to be no secret.
  - What customers do is in the logs, such as e-mail addresses. Look at the bundle before you hand it on.
options:
  dest:
    description: The folder of the controller to write to.
    type: path
    required: true
  project:
    description: The deployment's Compose project.
    type: str
    default: lago
  directory:
    description: The deployment's directory. Defaults to V(/opt/PROJECT).
    type: path
  lines:
    description: How many lines of each container's log to take.
    type: int
    default: 1000
  facts:
    description: Further data, such as what M(selfhosted.lago.server_info) returned. Each becomes a file of this name.
    type: dict
    default: {}
  hide:
    description: Further secrets, such as the administrator's password.
    type: list
    elements: str
    default: []
attributes:
  action:
    description: Has an action that runs on the controller.
    support: full
  check_mode:
    description: Can run in check mode. It then writes no file.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: N/A
  idempotent:
    description: Run again, it writes another file.
    support: none
  platform:
    description: The systems it runs on.
    support: full
    platforms: posix
seealso:
  - module: selfhosted.lago.server_info
  - module: selfhosted.lago.deployment_info
"""

EXAMPLES = r"""
- name: A bundle is on the controller
  selfhosted.lago.support_bundle:
    dest: /tmp
    facts:
      server: "{{ result.server }}"
"""

RETURN = r"""
path:
  description: The file on the controller, null in check mode.
  returned: success
  type: str
  sample: /tmp/lago-support-billing-20260131T120000Z.tar.gz
contents:
  description: The names of what is in it.
  returned: success
  type: list
  elements: str
  sample: [configuration/compose.yml, logs/lago-api-1.log]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import run
from ansible_collections.selfhosted.lago.plugins.module_utils._support import collect


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "dest": {"type": "path", "required": True},
            "project": {"type": "str", "default": "lago"},
            "directory": {"type": "path"},
            "lines": {"type": "int", "default": 1000},
            "facts": {"type": "dict", "default": {}},
            "hide": {"type": "list", "elements": "str", "default": [], "no_log": True},
        },
        supports_check_mode=True,
    )
    run(module, collect)


if __name__ == "__main__":
    main()
