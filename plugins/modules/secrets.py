#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secrets
short_description: Makes the secrets of a deployment once and never changes them silently
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Makes the secrets that are not given, once, and keeps them in a file on the server that only its owner can read.
  - Given values win and are not kept, only their keyed fingerprints are, by which a changed one is noticed.
  - 'Refuses, with all reasons in one message: an encryption key other than the one in use while the database may hold
    data; a value that was given before and is missing now; new values for a database that may need the former ones;
    values that everybody knows from upstream''s guides; keys that are too short; an RSA key that Lago could not read.'
  - The result holds secrets. Run it with C(no_log=true).
extends_documentation_fragment:
  - selfhosted.lago.attributes
attributes:
  check_mode:
    support: full
    details:
      - What a real run would make is returned as a placeholder, so that what needs it can be rendered.
  diff_mode:
    support: full
    details:
      - Names only.
  idempotent:
    support: partial
    details:
      - What is named in O(rotate) and was made is made anew by each run.
options:
  path:
    description:
      - The file that keeps what is made. Its directory is made where it is missing, with mode C(0700).
    type: path
    required: true
  given:
    description:
      - Values that are given, by name. V(null) and an empty string are not given.
      - The names are V(secret_key_base), V(encryption_primary_key), V(encryption_deterministic_key),
        V(encryption_key_derivation_salt), V(rsa_private_key), V(postgres_password), V(redis_password) and
        V(redis_cache_password).
      - Keys have at least 32 characters. V(rsa_private_key) is a PEM file of at least 2048 bits in one line of base64.
    type: dict
    default: {}
  organizations:
    description:
      - How many organizations the database holds. V(0) where there is no database yet.
      - V(null) is unknown, and counts as data.
    type: raw
  encrypted_rows:
    description:
      - How many rows of the database are encrypted, where that is known.
    type: raw
  unasked:
    description:
      - Why the database could not be asked, for the message. Holds no secret.
    type: str
    default: ""
  unused:
    description:
      - Passwords that nothing reads, as that of a store that is reached by a URL. One that was given before may be
        missing.
    type: list
    elements: str
    choices: [postgres_password, redis_password, redis_cache_password]
    default: []
  rotate:
    description:
      - Secrets that shall be others than they are. What was made is made anew, and the former value is kept nowhere.
        What is given must be another value than before.
      - V(encryption_keys) are all three together, and are refused unless O(encrypted_rows) is V(0). Nothing can encrypt
        anew what the former ones encrypted.
    type: list
    elements: str
    choices:
      - encryption_keys
      - secret_key_base
      - rsa_private_key
      - postgres_password
      - redis_password
      - redis_cache_password
    default: []
  adopt:
    description:
      - Secrets by name that somebody else made, and with which the database is in use. They are kept as if they had
        been made here, whatever they are. The result does not show them; that of the next run does.
    type: dict
    default: {}
  state:
    description:
      - The secrets are there.
    type: str
    choices: [present]
    default: present
"""

EXAMPLES = r"""
- name: The secrets of a deployment
  selfhosted.lago.secrets:
    path: /opt/lago/secrets.json
    given:
      postgres_password: "{{ vault_postgres_password }}"
    organizations: 0
  register: __lago_secrets
  no_log: true

- name: Another password of the database
  selfhosted.lago.secrets:
    path: /opt/lago/secrets.json
    organizations: 1
    rotate: [postgres_password]
  register: __lago_secrets
  no_log: true
"""

RETURN = r"""
secrets:
  description: The made secrets, by name. The given ones are not among them.
  type: dict
  returned: success
made:
  description: Names of those that were made now.
  type: list
  elements: str
  returned: success
given:
  description: Names of those that are given.
  type: list
  elements: str
  returned: success
changed_secrets:
  description: Names of those that had another value before, for instance a made password that is given now.
  type: list
  elements: str
  returned: success
file_key:
  description: A secret that is made once, to fingerprint files with.
  type: str
  returned: success
known_to_everybody:
  description: Names of kept ones that were adopted and that everybody knows from upstream's guides.
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
        - 'The first reason: V(encryption_key_changed), V(given_secret_missing), V(secrets_lost), V(rotation_of_given),
          V(nothing_to_rotate), V(encryption_rows_there), V(other_deployment), V(placeholder_secret),
          V(weak_secret),
          V(invalid_rsa_private_key), V(unknown_secret), V(invalid_count), V(secrets_unreadable), V(openssl_missing) or
          V(openssl_failed).'
      type: str
    status:
      description: Always V(null).
      type: int
    details:
      description: Further facts. C(problems) lists every reason, with its C(code), C(variables) and C(message).
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import run
from ansible_collections.selfhosted.lago.plugins.module_utils._secrets import PASSWORDS, ROTATED
from ansible_collections.selfhosted.lago.plugins.module_utils._secrets_module import ensure


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "given": {"type": "dict", "default": {}, "no_log": True},
            "organizations": {"type": "raw"},
            "encrypted_rows": {"type": "raw"},
            "unasked": {"type": "str", "default": ""},
            "unused": {"type": "list", "elements": "str", "choices": list(PASSWORDS), "default": []},
            "rotate": {"type": "list", "elements": "str", "choices": list(ROTATED), "default": []},
            "adopt": {"type": "dict", "default": {}, "no_log": True},
            "state": {"type": "str", "choices": ["present"], "default": "present"},
        },
        supports_check_mode=True,
    )
    run(module, ensure)


if __name__ == "__main__":
    main()
