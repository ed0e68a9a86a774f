#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: adopt_info
short_description: Reads a Lago that somebody else deployed with Compose
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Reads the containers of a Compose project with what they were told, the key that Lago signs webhooks with, and what
    is in its database and its Redis. Nothing is ever written.
  - What the containers were told is what holds, whatever a file beside the compose file says by now.
  - The result holds secrets. Run it with C(no_log=true).
extends_documentation_fragment:
  - selfhosted.lago.attributes
  - selfhosted.lago.attributes.info_module
options:
  project:
    description: The Compose project.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: What upstream's compose file deployed is known
  selfhosted.lago.adopt_info:
    project: lago
  register: __lago_adoptable
  no_log: true
"""

RETURN = r"""
adoptable:
  description: What was found.
  returned: success
  type: dict
  contains:
    project:
      description: The project that was asked for.
      returned: success
      type: str
      sample: lago
    containers:
      description: >-
        The containers, by name. C(kind) is V(api), V(worker), V(clock), V(front), V(pdf), V(db), V(redis), V(migrate)
        or V(other), C(worker) which worker it is, C(environment) what it was told beyond what its image says.
      returned: success
      type: list
      elements: dict
    rsa_file:
      description: The private key of the file that Lago prefers, null where there is none.
      returned: success
      type: str
    database:
      description: What the database says, as module M(selfhosted.lago.server_info) has it; null when it does not run.
      returned: success
      type: dict
    redis:
      description: C(version), C(port) and C(used_memory); null when it does not answer or wants a password.
      returned: success
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._adoptable import read
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import run


def main() -> None:
    run(AnsibleModule({"project": {"type": "str", "required": True}}, supports_check_mode=True), read)


if __name__ == "__main__":
    main()
