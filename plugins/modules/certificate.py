#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate
short_description: Certificates are in the storage of a deployment's proxy before it is switched to them
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Orders what names lack before the proxy is switched to it, so that an order that fails takes nothing away. What the
    proxy serves meanwhile is not touched.
  - Before anything is ordered, each name is asked on port 80, from the controller and, if need be, from the server, and
    must lead to the proxy. Addresses are not compared, because a server behind NAT does not have its public one.
  - Orders whatever it is asked for; which names lack a certificate, filter
    P(selfhosted.lago.missing_certificates#filter) tells.
extends_documentation_fragment:
  - selfhosted.lago.attributes
attributes:
  check_mode:
    support: full
    details:
      - Asks nobody, and predicts that every order succeeds.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Every call is an order, and ACME servers limit how many there may be.
options:
  container:
    description:
      - The container of the proxy. It runs, with its certificates in C(/data/caddy), and hands what is asked for below
        C(/.well-known/acme-challenge/) on to its own port 2022.
    type: str
    required: true
  names:
    description:
      - The names to order certificates for.
    type: list
    elements: str
    required: true
  config:
    description:
      - The Caddyfile of a second Caddy, which orders and is stopped again. It listens on ports 2021 to 2023 of
        loopback.
    type: str
    required: true
  own:
    description:
      - Whether the proxy's own authority issues them. No name is asked then.
    type: bool
    default: false
  timeout:
    description:
      - Seconds after which the orders are given up.
    type: int
    default: 180
  seen:
    description:
      - What each name answered to the controller, put here by the action plugin. Not to be given in a task.
    type: dict
    default: {}
seealso:
  - module: selfhosted.lago.deployment_info
"""

EXAMPLES = r"""
- name: Every name has its certificate
  selfhosted.lago.certificate:
    container: lago-proxy-1
    names: [lago.example.com]
    config: "{{ lookup('ansible.builtin.template', 'order.j2') }}"
"""

RETURN = r"""
obtained:
  description: The names that have a certificate now.
  returned: success
  type: list
  elements: str
failure:
  description: Why there is none, for programs.
  returned: failure
  type: dict
  contains:
    code:
      description: V(container_not_running), V(names_not_reached), V(order_failed).
      type: str
    status:
      description: Always null here.
      type: int
    details:
      description: By name, what was answered or what the ACME server said.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._certificate import order
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import run


def main() -> None:
    spec = {
        "container": {"type": "str", "required": True},
        "names": {"type": "list", "elements": "str", "required": True},
        "config": {"type": "str", "required": True},
        "own": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 180},
        "seen": {"type": "dict", "default": {}},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), order)


if __name__ == "__main__":
    main()
