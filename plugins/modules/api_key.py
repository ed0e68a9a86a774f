#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: api_key
short_description: Fetches, keeps, verifies and rotates an API key of Lago
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - A key that was kept (O(path) or O(api_key)) is tried first. If Lago accepts it, nothing else is done, and nobody
    logs in.
  - Otherwise logs in, finds the key of the organization, and uses it once to see that it works.
  - Keys that expired are ignored.
extends_documentation_fragment:
  - selfhosted.lago.api
  - selfhosted.lago.attributes
  - selfhosted.lago.attributes.actiongroup
attributes:
  check_mode:
    support: full
    details:
      - What only reads, the login among it, is done in check mode too.
  diff_mode:
    support: full
    details:
      - Keys are shown masked.
  idempotent:
    support: partial
    details:
      - If O(state=rotated), the key is replaced every time.
options:
  email:
    description:
      - The e-mail address of a user who is an administrator of the organization. Needed if there is no kept key that
        works.
    type: str
  password:
    description:
      - The user's password.
    type: str
  organization:
    description:
      - The name of the organization. May be left out if the user is in only one.
      - A kept key that works but belongs to another organization is an error.
    type: str
  name:
    description:
      - The name of the key, needed if the organization has more than one.
      - If there is none of this name, it is made. Lago does that with a premium licence only and refuses it otherwise
        (RV(failure.code=feature_unavailable)).
    type: str
  api_key:
    description:
      - A key that was kept elsewhere, tried first.
    type: str
  path:
    description:
      - A file on the host where the module runs that keeps the key, as JSON with C(api_key), C(id), C(name),
        C(organization_id) and C(organization_name). Only its owner can read it (mode 0600); it is replaced as a whole.
      - A key in it is tried first; one that was fetched, made or rotated is written to it.
    type: path
  reveal:
    description:
      - Whether RV(api_key.value) is the key itself. Otherwise it is masked. Use C(no_log) on the task.
      - Up to ansible-core 2.21, a key that was given as O(api_key) is hidden in the result nevertheless.
    type: bool
    default: false
  state:
    description:
      - V(present) fetches the key if no kept one works.
      - V(rotated) replaces the key by a new one. The old one ends at once, which is proved by using it.
    type: str
    choices: [present, rotated]
    default: present
seealso:
  - module: selfhosted.lago.organization
"""

EXAMPLES = r"""
- name: The organization's key is known on this server
  selfhosted.lago.api_key:
    api_url: https://lago.example.com
    email: admin@example.com
    password: "{{ lago_admin_password }}"
    organization: Acme
    path: /opt/lago/api_key.json

- name: The key itself, for the next task
  selfhosted.lago.api_key:
    api_url: https://lago.example.com
    path: /opt/lago/api_key.json
    reveal: true
  register: lago_key
  no_log: true

- name: A new key, the old one ends
  selfhosted.lago.api_key:
    api_url: https://lago.example.com
    email: admin@example.com
    password: "{{ lago_admin_password }}"
    path: /opt/lago/api_key.json
    state: rotated
"""

RETURN = r"""
api_key:
  description: The key.
  returned: success
  type: dict
  contains:
    id:
      description: Its id, null if it is not known (a key given as O(api_key)) or not made yet.
      type: str
      sample: f877d1f2-13ee-4712-a48b-8ab7cf31397b
    name:
      description: Its name, null for the key that Lago makes with an organization.
      type: str
      sample: default
    value:
      description: The key, masked to its last three characters unless O(reveal=true); null if it is not made yet.
      type: str
      sample: ••••••••6b1
    organization_id:
      description: The id of its organization.
      type: str
      sample: 7bf4806a-73dd-4e51-aae5-7d27b1239f06
    organization_name:
      description: The name of its organization.
      type: str
      sample: Acme
source:
  description: Where the key comes from.
  returned: success
  type: str
  choices: [stored, fetched, created, rotated]
  sample: stored
failure:
  description: What went wrong, for programs.
  returned: failure
  type: dict
  contains:
    code:
      description: >-
        For instance V(ambiguous_api_key), V(api_key_not_found), V(api_key_of_other_organization),
        V(credentials_missing),
        V(feature_unavailable), V(key_file_unusable), V(old_key_still_works), and those of
        M(selfhosted.lago.organization).
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
from ansible_collections.selfhosted.lago.plugins.module_utils._api_key import KeyKeeper
from ansible_collections.selfhosted.lago.plugins.module_utils._client import (
    CONNECTION_REQUIRED,
    connect,
    connection_spec,
)
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import mask, outcome, run, secret


def ensure(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    keeper = KeyKeeper(module, connect(module))
    source = keeper.rotate() if params["state"] == "rotated" else keeper.ensure()
    value = keeper.key["api_key"]
    api_key = {
        "id": keeper.key["id"],
        "name": keeper.key["name"],
        "value": secret(value) if params["reveal"] and value else mask(value),
        "organization_id": keeper.key["organization_id"],
        "organization_name": keeper.key["organization_name"],
    }
    return outcome(module, keeper.before, keeper.after, changed=keeper.changed, api_key=api_key, source=source)


def main() -> None:
    spec = dict(
        connection_spec(),
        email={"type": "str"},
        password={"type": "str", "no_log": True},
        organization={"type": "str"},
        name={"type": "str"},
        api_key={"type": "str", "no_log": True},
        path={"type": "path"},
        reveal={"type": "bool", "default": False},
        state={"type": "str", "choices": ["present", "rotated"], "default": "present"},
    )
    limits = {"required_one_of": CONNECTION_REQUIRED, "mutually_exclusive": [("api_key", "path")]}
    run(AnsibleModule(spec, supports_check_mode=True, **limits), ensure)


if __name__ == "__main__":
    main()
