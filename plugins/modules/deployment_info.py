#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_info
short_description: Finds out whether a deployment of Lago works
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Lago's own health check tells which release runs, and is well in most of the states in which nothing works. This
    module
    reads data with the key, sees a job pass through Redis, has Lago read its encrypted rows, and looks at the
    deployment as a
    browser and as a stranger do.
  - It does not fail because of what it finds. RV(problems) is empty if the deployment works.
  - What is not to be found out with the options that are set is null in RV(deployment).
extends_documentation_fragment:
  - selfhosted.lago.api
  - selfhosted.lago.attributes
  - selfhosted.lago.attributes.info_module
  - selfhosted.lago.attributes.actiongroup
attributes:
  action:
    description: Has an action, which tells on the controller every few seconds that the module goes on.
    support: full
  check_mode:
    details:
      - A login makes Lago enqueue a job that does nothing of note. Nothing else is changed, in check mode or not.
options:
  front_url:
    description:
      - Where the front is. If it is not set, the front is not looked at.
      - O(connect_to) is used for it too.
    type: str
  api_key:
    description:
      - The key to read data with. Without one it is not known that data can be read, which is a problem.
    type: str
  api_key_path:
    description:
      - The file on the host where the module runs in which M(selfhosted.lago.api_key) keeps the key.
    type: path
  email:
    description:
      - The e-mail address of a user, to see logins work, and the encrypted rows of the organization.
    type: str
  password:
    description:
      - The user's password. That it is refused is no problem as long as the key works, because it may have been
        changed in
        the user interface.
    type: str
  version:
    description:
      - The release that should run, for instance V(v1.51.0).
    type: str
  project:
    description:
      - The name of the Compose project on the host where the module runs. With it, the containers are looked at, a
        job is
        seen to pass through the service C(redis), and the service C(db) is asked what only the database knows. Where
        there is no such service, the API's container is asked, which reaches those that are elsewhere.
      - If no login is possible, a job of the clock is waited for, for 90 seconds at most.
    type: str
  backup_directory:
    description:
      - Folder of the backups on the host where the module runs. With it and O(project), the last whole backup is named.
    type: path
  unrouted_paths:
    description:
      - Paths that must not lead to the API at O(api_url) and O(front_url). Not checked with O(container).
    type: list
    elements: str
    default:
      - /sidekiq
      - /metrics
      - /admin/organizations
      - /karafka
      - /data_api/v1/charges
      - /rails/conductor
      - /graphiql
      - /ready
  edge:
    description:
      - How the edge is meant to be. If it is set, and O(front_url) too, certificates, protocol and headers are looked
        at.
    type: dict
    suboptions:
      mode:
        description:
          - Who speaks TLS, as C(lago_tls_mode) of role P(selfhosted.lago.stack#role) has it.
        type: str
        choices: [none, selfsigned, letsencrypt, provided, existing]
        required: true
      names:
        description:
          - The names that must have a certificate.
        type: list
        elements: str
        default: []
      http_url:
        description:
          - What leads to O(front_url) over plain HTTP. If it is not set, that is not looked at.
        type: str
      hsts:
        description:
          - Whether browsers must be told to stay with HTTPS.
        type: bool
        default: false
      opened_paths:
        description:
          - Paths that lead to the API besides the usual ones, as patterns of the proxy.
        type: list
        elements: str
        default: []
  signup:
    description:
      - Whether strangers may register. Otherwise it is a problem that they can.
    type: bool
    default: false
  time_limit:
    description:
      - After so many seconds, no further check is begun.
    type: int
    default: 180
seealso:
  - module: selfhosted.lago.api_key
"""

EXAMPLES = r"""
- name: What the deployment does
  selfhosted.lago.deployment_info:
    api_url: https://lago.example.com
    front_url: https://lago.example.com
    connect_to: 127.0.0.1
    api_key_path: /opt/lago/api_key.json
    email: admin@example.com
    password: "{{ lago_admin_password }}"
    version: v1.51.0
    project: lago
  register: lago_found

- name: The deployment works
  ansible.builtin.assert:
    that: lago_found.problems | length == 0
    fail_msg: "{{ lago_found.problems | map(attribute='message') | join('\n') }}"
"""

RETURN = r"""
problems:
  description: What keeps the deployment from working, or makes it unsafe; empty if it works.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: >-
        For instance V(unhealthy), V(version_mismatch), V(api_key_missing), V(api_key_refused), V(data_unreadable),
        V(signup_open), V(login_failed_on_server), V(encrypted_rows_unreadable), V(job_not_passed), V(job_not_checked),
        V(queue_without_worker), V(redis_unreachable), V(service_not_running), V(service_unhealthy), V(worker_missing),
        V(clock_missing),
        V(clock_twice), V(front_not_served), V(front_config_missing), V(front_api_url_wrong), V(cors_refused),
        V(paths_exposed), V(not_migrated), V(roles_not_seeded), V(invalid_indexes), V(partman_not_configured),
        V(partition_missing), V(certificate_expired), V(certificate_not_trusted), V(renewal_overdue), V(hsts_missing),
        V(http_not_redirected), V(slug_shadowed), V(unreachable), V(tls_not_trusted), V(not_lago).
      type: str
    message:
      description: A sentence with the next step.
      type: str
    details:
      description: Further facts.
      type: dict
deployment:
  description: What was found out. Null is what was not.
  returned: success
  type: dict
  contains:
    health:
      description: What C(/health) said.
      type: dict
      contains:
        status:
          description: The HTTP status.
          type: int
        version:
          description: The release that runs.
          type: str
          sample: v1.51.0
        expected:
          description: The release that should.
          type: str
    key:
      description: The API key.
      type: dict
      contains:
        accepted:
          description: Whether Lago accepts it.
          type: bool
        organization_id:
          description: The organization that it belongs to.
          type: str
        organization_name:
          description: That organization's name.
          type: str
    data:
      description: Data.
      type: dict
      contains:
        readable:
          description: Whether it could be read.
          type: bool
    signup:
      description: Registration by anybody.
      type: dict
      contains:
        closed:
          description: Whether it is closed, asked of the API.
          type: bool
    login:
      description: The login with O(email) and O(password).
      type: dict
      contains:
        accepted:
          description: Whether it was accepted.
          type: bool
    encrypted_rows:
      description: What Lago stored encrypted.
      type: dict
      contains:
        readable:
          description: Whether Lago can read it; V(none) if there is nothing.
          type: str
          choices: ['yes', 'no', none, unknown]
    job:
      description: A job through Redis.
      type: dict
      contains:
        passed:
          description: Whether one was seen to be done.
          type: bool
        through:
          description: What made it.
          type: str
          choices: [login, clock]
        seconds:
          description: How long that took.
          type: float
    queues:
      description: The queues of jobs.
      type: dict
      contains:
        without_worker:
          description: How many jobs wait in each queue that no worker takes from.
          type: dict
          sample: {events: 3}
    front:
      description: The front.
      type: dict
      contains:
        reachable:
          description: Whether it serves its page.
          type: bool
        api_url:
          description: Where it sends browsers to.
          type: str
        signup_disabled:
          description: Whether it hides the registration.
          type: bool
        config:
          description: All that C(/env-config.js) sets.
          type: dict
    origin:
      description: Front and API as a browser sees them.
      type: dict
      contains:
        one_origin:
          description: Whether both are one origin.
          type: bool
        cors_ok:
          description: If they are two, whether the API allows the front's.
          type: bool
    exposed_paths:
      description: Those of O(unrouted_paths) at which the API answered.
      type: list
      elements: str
    edge:
      description: >-
        How the edge speaks TLS, as O(edge) asks. The figures are those of the certificate with the least life left.
      type: dict
      contains:
        mode:
          description: Who speaks TLS.
          type: str
        names:
          description: The names that must have a certificate.
          type: list
          elements: str
        certificates:
          description: >-
            For each of them C(name), C(trusted), C(reason) if it is not, C(issuer), C(not_before), C(not_after),
            C(life_left) and C(overdue).
          type: list
          elements: dict
        issuer:
          description: Who signed it.
          type: str
        not_before:
          description: When it began.
          type: str
        not_after:
          description: When it ends.
          type: str
          sample: "2026-01-31T12:00:00Z"
        life_left:
          description: The share of its life that is left, from 1 to 0.
          type: float
        renewal_overdue:
          description: Whether one was to be renewed and was not.
          type: bool
        protocol:
          description: The version of TLS that was agreed on.
          type: str
          sample: TLSv1.3
        http2:
          description: Whether HTTP/2 is spoken.
          type: bool
        hsts:
          description: What C(Strict-Transport-Security) says.
          type: str
        redirects:
          description: Whether plain HTTP leads to HTTPS.
          type: bool
        opened_paths:
          description: Paths that lead to the API besides the usual ones.
          type: list
          elements: str
    containers:
      description: The services as Docker has them.
      type: list
      elements: dict
      contains:
        service:
          description: The service.
          type: str
        name:
          description: The container.
          type: str
        state:
          description: Docker's state, for instance V(running).
          type: str
        health:
          description: Docker's health, null without a check.
          type: str
        exit_code:
          description: How it ended last.
          type: int
        restarts:
          description: How often Docker restarted it.
          type: int
    workers:
      description: Those among them that do jobs.
      type: list
      elements: dict
      contains:
        service:
          description: The service.
          type: str
        name:
          description: The container.
          type: str
        state:
          description: Docker's state.
          type: str
        health:
          description: Docker's health.
          type: str
    clock:
      description: The clock.
      type: dict
      contains:
        state:
          description: Docker's state.
          type: str
        health:
          description: Docker's health.
          type: str
        containers:
          description: How many there are.
          type: int
    backup:
      description: The last whole backup; null when there is none, or O(backup_directory) was not given.
      type: dict
      contains:
        name:
          description: Its name in O(backup_directory).
          type: str
        age:
          description: Seconds since it was begun.
          type: int
        encrypted:
          description: Whether it is encrypted.
          type: bool
    partman:
      description: The partitions of events.
      type: dict
      contains:
        configured:
          description: Whether pg_partman makes them.
          type: bool
        next_partition:
          description: Whether next month's is there.
          type: bool
        maintenance_last_run:
          description: When pg_partman last looked after them.
          type: str
    database:
      description: What the database says.
      type: dict
      contains:
        schema_version:
          description: The last migration.
          type: str
        roles:
          description: How many predefined roles there are.
          type: int
        encrypted_rows:
          description: How many rows with secrets there are.
          type: int
        invalid_indexes:
          description: How many indexes are invalid.
          type: int
        slugs:
          description: The slugs of the organizations, under which the front has their pages; null before v1.45.2.
          type: list
          elements: str
failure:
  description: What kept the module from asking anything, for programs.
  returned: failure
  type: dict
  contains:
    code:
      description: For instance V(invalid_url), V(ca_path_unusable).
      type: str
    status:
      description: Always null here.
      type: int
    details:
      description: Further facts.
      type: dict
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _client
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment import Inspection
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_docker import Project
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_edge import SPEC, TlsEdge
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_front import UNROUTED, Edge
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import run


def inspect(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    client = _client.connect(module)
    front = _client.http_transport(params, "front_url") if params["front_url"] else None
    edge = Edge(client.transport, not params["container"], front, params["unrouted_paths"])
    project = Project(params["project"], _client.runner(module)) if params["project"] else None
    tls = TlsEdge(params["edge"], params, front, _client.runner(module)) if params["edge"] and front else None
    report = Inspection(params, client, edge, project, tls).run()
    return {"changed": False, "deployment": report.facts, "problems": report.problems}


def main() -> None:
    spec = dict(
        _client.connection_spec(),
        front_url={"type": "str"},
        api_key={"type": "str", "no_log": True},
        api_key_path={"type": "path", "no_log": False},
        email={"type": "str"},
        password={"type": "str", "no_log": True},
        version={"type": "str"},
        signup={"type": "bool", "default": False},
        project={"type": "str"},
        backup_directory={"type": "path"},
        unrouted_paths={"type": "list", "elements": "str", "default": UNROUTED},
        edge={"type": "dict", "options": SPEC},
        time_limit={"type": "int", "default": 180},
    )
    limits = {"required_one_of": _client.CONNECTION_REQUIRED, "mutually_exclusive": [("api_key", "api_key_path")]}
    run(AnsibleModule(spec, supports_check_mode=True, **limits), inspect)


if __name__ == "__main__":
    main()
