#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: organization
short_description: Makes sure that a user and an organization exist in Lago
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Logs in; if Lago knows nobody with this O(email) and O(password), registers the user together with the organization.
  - A registration is sent once. If its answer is lost, a login tells whether it happened.
  - Lago has no uniqueness of users and organizations under simultaneous registrations, so never run this twice at a
    time
    for one deployment.
  - To register, the API that is asked must have sign-up open. The role P(selfhosted.lago.bootstrap#role) does that
    without
    ever opening the running API.
extends_documentation_fragment:
  - selfhosted.lago.api
  - selfhosted.lago.attributes
  - selfhosted.lago.attributes.actiongroup
attributes:
  action:
    description: Has an action, which tells on the controller every few seconds that the module goes on.
    support: full
  check_mode:
    support: full
    details:
      - The login is done in check mode too. Whether sign-up is open cannot be told without registering, so it is not
        checked.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - The name of the organization, as it is now if it was renamed.
    type: str
    required: true
  email:
    description:
      - The e-mail address of the user. To Lago, upper and lower case make different users.
    type: str
    required: true
  password:
    description:
      - The password of the user. To register, it must be one that Lago's user interface would take, which is at least 8
        characters with a lower-case letter, an upper-case letter, a digit and a special character.
    type: str
    required: true
  state:
    description:
      - What must be so. Lago cannot remove organizations.
    type: str
    choices: [present]
    default: present
  wait:
    description:
      - How many seconds to wait for an API that still starts. A container that ended is not waited for.
    type: int
    default: 0
seealso:
  - module: selfhosted.lago.api_key
"""

EXAMPLES = r"""
- name: User and organization exist
  selfhosted.lago.organization:
    api_url: https://lago.example.com
    name: Acme
    email: admin@example.com
    password: "{{ lago_admin_password }}"

- name: The same, in a container that serves nobody else
  selfhosted.lago.organization:
    container: lago-register
    wait: 60
    name: Acme
    email: admin@example.com
    password: "{{ lago_admin_password }}"
"""

RETURN = r"""
organization:
  description: The organization.
  returned: success
  type: dict
  contains:
    id:
      description: Its id, null in check mode if it would be made.
      type: str
      sample: 7bf4806a-73dd-4e51-aae5-7d27b1239f06
    name:
      description: Its name.
      type: str
      sample: Acme
    slug:
      description: Its name in the URLs of the user interface, null before Lago v1.45.
      type: str
      sample: acme
user:
  description: The user.
  returned: success
  type: dict
  contains:
    id:
      description: The user's id, null in check mode if the user would be made.
      type: str
      sample: 781ee2b9-820e-46bb-922f-e78d36310cd1
    email:
      description: The user's e-mail address.
      type: str
      sample: admin@example.com
failure:
  description: What went wrong, for programs.
  returned: failure
  type: dict
  contains:
    code:
      description: >-
        For instance V(incorrect_login_or_password), V(signup_disabled), V(roles_not_seeded),
        V(login_method_not_authorized),
        V(login_failed_on_server), V(organization_not_found), V(ambiguous_organization), V(invalid_input),
        V(unreachable),
        V(no_answer), V(not_lago), V(tls_not_trusted), V(container_not_running).
      type: str
    status:
      description: The HTTP status, or the one that Lago wrote into its answer.
      type: int
    details:
      description: Further facts.
      type: dict
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._client import (
    CONNECTION_REQUIRED,
    connect,
    connection_spec,
)
from ansible_collections.selfhosted.lago.plugins.module_utils._organization import pick, require, sign_in_or_register
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import outcome, run


def present(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    name, email, password = params["name"], params["email"], params["password"]
    require(params, "name", "email", "password")
    client = connect(module)
    if params["wait"]:
        client.wait_until_up(params["wait"])
    registered = sign_in_or_register(client, email, password, name, module.check_mode)
    if registered and module.check_mode:
        organization = {"id": None, "name": name, "slug": None}
    else:
        organization = pick(client.organizations(), name)
    user = client.user or {"id": None, "email": email}
    after = {"organization": organization, "user": user}
    return outcome(module, {} if registered else after, after, organization=organization, user=user)


def main() -> None:
    spec = dict(
        connection_spec(),
        name={"type": "str", "required": True},
        email={"type": "str", "required": True},
        password={"type": "str", "required": True, "no_log": True},
        state={"type": "str", "choices": ["present"], "default": "present"},
        wait={"type": "int", "default": 0},
    )
    run(AnsibleModule(spec, supports_check_mode=True, required_one_of=CONNECTION_REQUIRED), present)


if __name__ == "__main__":
    main()
