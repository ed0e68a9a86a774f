#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_copy
short_description: Copies a backup of a server to the controller
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Copies a backup that the program of role C(stack) took to a folder of the controller, a piece at a time, so that its
    size does not matter. Every file is compared with the checksum in the backup's manifest.
  - Under its name there is a whole backup or none.
options:
  path:
    description: The backup's folder on the server.
    type: path
    required: true
  dest:
    description: The folder of the controller for the copy, which has the backup's name. It is made when missing.
    type: path
    required: true
attributes:
  action:
    description: Has an action that runs on the controller.
    support: full
  check_mode:
    description: Can run in check mode. It then copies nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: N/A
  idempotent:
    description: Run again, it changes nothing. A copy that is there is left as it is.
    support: full
  platform:
    description: The systems it runs on.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: The backup is on the controller too
  selfhosted.lago.backup_copy:
    path: /var/backups/lago/lago-20260131T120000Z
    dest: backups
"""

RETURN = r"""
path:
  description: The copy on the controller.
  returned: success
  type: str
  sample: /home/ada/backups/lago-20260131T120000Z
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        argument_spec={"path": {"type": "path", "required": True}, "dest": {"type": "path", "required": True}},
        supports_check_mode=True,
    )
    module.fail_json(msg="selfhosted.lago.backup_copy is an action: it runs on the controller.")


if __name__ == "__main__":
    main()
