#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: progress
short_description: Runs a module and says while it works that it goes on
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Runs a module as a task of its own would, and returns what it returned. While it works, a line tells every few
    seconds what is waited for and for how long.
  - Unlike C(async), it starts no further module, leaves no file and no process on the server, works in check mode, and
    hides what C(no_log) hides.
options:
  module:
    description: The full name of a module that has no action of its own.
    type: str
    required: true
  options:
    description: The module's options.
    type: dict
    default: {}
  every:
    description: After how many seconds to say so, and again.
    type: int
    default: 10
attributes:
  action:
    description: Has an action that runs on the controller.
    support: full
  check_mode:
    description: Can run in check mode.
    support: partial
    details: As far as the module does that it runs.
  diff_mode:
    description: Tells what is different.
    support: partial
    details: As far as the module does that it runs.
  idempotent:
    description: Run again, it changes nothing.
    support: partial
    details: As far as the module is that it runs.
  platform:
    description: The systems it runs on.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Every image is on the server
  selfhosted.lago.progress:
    module: community.docker.docker_compose_v2_pull
    options:
      project_src: /opt/lago
      policy: missing
"""

RETURN = r"""
changed:
  description: As the module that was run says. Its other return values stand beside it.
  returned: always
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "module": {"type": "str", "required": True},
            "options": {"type": "dict", "default": {}},
            "every": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="selfhosted.lago.progress is an action: it runs on the controller.")


if __name__ == "__main__":
    main()
