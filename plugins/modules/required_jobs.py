#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: required_jobs
short_description: Does what a release of Lago wants done before it is left
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Runs tasks of the release that runs, whose jobs its worker does, and tells every few seconds how many rows are left.
  - Done is when the database says so, whatever the tasks say, because one of them is known not to end by itself. Where
    the database cannot tell, done is when they end well, and what they said last is shown.
  - It fails when they fail, when no worker runs, when nothing goes on any more, and after O(time_limit).
options:
  directory:
    description: The deployment's directory.
    type: path
    required: true
  project:
    description: The deployment's Compose project.
    type: str
    default: lago
  database:
    description: The database.
    type: str
    default: lago
  user:
    description: The user that the database is asked as.
    type: str
    default: lago
  jobs:
    description: The tasks, with their arguments. All are run by one process, one after the other.
    type: list
    elements: str
    default: []
  left:
    description: A query that counts the rows that have yet to be done.
    type: str
    default: ""
  time_limit:
    description: After how many seconds they are taken for failed.
    type: int
    default: 7200
  every:
    description: After how many seconds to look again.
    type: int
    default: 3
  state:
    description: V(absent) ends what runs of them. The action asks for it by itself in the end.
    type: str
    choices: [looked, absent]
    default: looked
attributes:
  action:
    description: Has an action that runs on the controller.
    support: full
  check_mode:
    description: Can run in check mode, where nothing is begun.
    support: full
  diff_mode:
    description: Tells what is different.
    support: none
  idempotent:
    description: Run again, it changes nothing.
    support: partial
    details: The tasks are run again, and find nothing to do.
  platform:
    description: The systems it runs on.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Charges have their codes
  selfhosted.lago.required_jobs:
    directory: /opt/lago
    jobs: ["upgrade:perform_required_jobs"]
    left: SELECT count(*) FROM charges WHERE code IS NULL
"""

RETURN = r"""
running:
  description: Whether the tasks still run.
  returned: O(state=looked)
  type: bool
exit_code:
  description: How they ended.
  returned: O(state=looked)
  type: int
left:
  description: How many rows are left; null where the database cannot tell.
  returned: O(state=looked)
  type: int
worker:
  description: Whether the worker runs.
  returned: O(state=looked)
  type: bool
said:
  description: The last lines that the tasks said.
  returned: O(state=looked)
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._required_jobs import look
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import run


def main() -> None:
    run(
        AnsibleModule(
            argument_spec={
                "directory": {"type": "path", "required": True},
                "project": {"type": "str", "default": "lago"},
                "database": {"type": "str", "default": "lago"},
                "user": {"type": "str", "default": "lago"},
                "jobs": {"type": "list", "elements": "str", "default": []},
                "left": {"type": "str", "default": ""},
                "time_limit": {"type": "int", "default": 7200},
                "every": {"type": "int", "default": 3},
                "state": {"type": "str", "choices": ["looked", "absent"], "default": "looked"},
            },
            supports_check_mode=True,
        ),
        look,
    )


if __name__ == "__main__":
    main()
