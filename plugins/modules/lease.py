#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lease
short_description: Lets one run at a time work on a deployment
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Holds a lease, a file on the server that names the run of Ansible which works on the deployment, and until when.
  - While another run holds it, the task fails and says which one. A lease that has ended, or one of a process that has
    ended on this same controller, is taken over.
  - Within one run it can be taken any number of times; each time it lasts anew for O(ttl).
  - Whoever takes it anew finds nothing of an ended run at work, and what such a run was writing is removed.
  - A lease is no state of the system, so a task never reports a change.
extends_documentation_fragment:
  - selfhosted.lago.attributes
attributes:
  check_mode:
    support: full
    details:
      - Refused in check mode too while another run holds the lease, but nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  path:
    description:
      - The file of the lease. Its directory is made where it is missing, with mode C(0700).
    type: path
    required: true
  state:
    description:
      - V(held) takes the lease or renews it.
      - V(released) gives it back. A lease of another run is left alone.
    type: str
    choices: [held, released]
    default: held
  ttl:
    description:
      - How many seconds the lease lasts when nobody renews it. It should outlast the longest task.
    type: int
    default: 3600
  settle:
    description:
      - How many seconds to wait for what an ended run left working on the server. A run that is killed does not end the
        module that it had started there. Tasks with the environment variable E(SELFHOSTED_LAGO_LEASE) set to O(path)
        are found, and waited for before the lease is handed out.
    type: int
    default: 900
  holder:
    description:
      - The run that asks, put here by the action plugin. Not to be given in a task.
    type: dict
    default: {}
  ended:
    description:
      - The lease whose process has ended, put here by the action plugin. Not to be given in a task.
    type: str
"""

EXAMPLES = r"""
- name: One run at a time
  environment:
    SELFHOSTED_LAGO_LEASE: /opt/lago/lease.json
  block:
    - name: This run holds the lease
      selfhosted.lago.lease:
        path: /opt/lago/lease.json

    - name: What only one may do
      ansible.builtin.debug:
        msg: Nobody else is here.
  always:
    - name: The lease is given back
      selfhosted.lago.lease:
        path: /opt/lago/lease.json
        state: released
"""

RETURN = r"""
lease:
  description: The lease, V(null) if O(state=released).
  type: dict
  returned: success
  contains:
    owner:
      description: The user and the controller of the run.
      type: str
    pid:
      description: Its process on the controller.
      type: int
    acquired:
      description: When it was taken, in seconds since 1970, by the server's clock.
      type: float
    expires:
      description: When it ends.
      type: float
    token:
      description: What tells it from any other lease.
      type: str
released:
  description: Whether a lease of this run was given back.
  type: bool
  returned: success
taken_over:
  description: Whether it was taken over from another run, which has ended or whose lease has.
  type: bool
  returned: success
touched:
  description:
    - When anybody last put a file into the deployment's directory or took one out, as every run does with its lease; in
      nanoseconds since 1970, null where there was no directory. What was read of the deployment is still true when
      M(selfhosted.lago.server_info) told the same.
  type: int
  returned: O(state=held)
  sample: 1767182400000000000
waited:
  description: For how many seconds what an ended run left working was waited for.
  type: int
  returned: success
failure:
  description: What went wrong, for programs.
  type: dict
  returned: failure
  contains:
    code:
      description: V(lease_held), V(lease_unreadable) or V(work_left).
      type: str
    status:
      description: Always V(null).
      type: int
    details:
      description: Further facts. C(holder) is the lease that is held.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._lease import lease
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import run


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
            "ttl": {"type": "int", "default": 3600},
            "settle": {"type": "int", "default": 900},
            "holder": {"type": "dict", "default": {}},
            "ended": {"type": "str"},
        },
        supports_check_mode=True,
    )
    run(module, lease)


if __name__ == "__main__":
    main()
