#!/usr/bin/python
# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_info
short_description: What a server is and what a deployment has on it
version_added: 0.1.0
author:
  - The selfhosted.lago maintainers (@selfhosted)
description:
  - Reads the server, its Docker and one Lago deployment in a single start; writes nothing.
  - What is absent is answered as absent and never makes the module fail. A Docker that answers and then does not list
    what it has does, since silence is no absence.
  - No command is waited for longer than 20 seconds. A database is asked again, twice, where what hindered goes by.
  - The environment of containers, where secrets are, is not among the answers.
options:
  directory:
    description: The deployment's directory. Defaults to V(/opt/PROJECT).
    type: path
  project:
    description: The deployment's Compose project.
    type: str
    default: lago
  ports:
    description: The ports whose listeners are wanted. All listening ports when empty.
    type: list
    elements: int
    default: []
  images:
    description: The images to look for, as one would pull them. All local images when empty.
    type: list
    elements: str
    default: []
  gather:
    description: What to look at, beyond the server itself. What is left out is left out of the answer.
    type: list
    elements: str
    choices:
      [docker, containers, images, volumes, networks, listeners, database, proxy, files, git, backup_timer, release]
    default: [docker, containers, images, volumes, networks, listeners, database, proxy, files, git, backup_timer]
attributes:
  check_mode:
    description: Can run in check mode, where it does the same.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: N/A
  idempotent:
    description: Changes nothing, however often it runs.
    support: full
  platform:
    description: The systems it runs on.
    support: full
    platforms: posix
seealso:
  - module: selfhosted.lago.deployment_info
"""

EXAMPLES = r"""
- name: What is on the server is known
  selfhosted.lago.server_info:
  register: result

- name: Who listens on the web ports is known
  selfhosted.lago.server_info:
    ports: [80, 443]
    gather: [listeners]
  register: result
"""

RETURN = r"""
server:
  description: What was found. A subject that O(gather) leaves out has no key here.
  returned: success
  type: dict
  contains:
    os:
      description: The operating system as C(/etc/os-release) has it; C(family) is V(debian), V(redhat) or V(other).
      returned: success
      type: dict
      sample:
        id: debian
        version_id: "13"
        codename: trixie
        like: []
        pretty: Debian GNU/Linux 13 (trixie)
        family: debian
    architecture:
      description: The machine's architecture as the kernel names it.
      returned: success
      type: str
      sample: x86_64
    hostname:
      description: The server's own name.
      returned: success
      type: str
      sample: billing
    python:
      description: The version of Python that modules run with.
      returned: success
      type: str
      sample: 3.13.5
    root:
      description: Whether the module ran as root.
      returned: success
      type: bool
    memory_mb:
      description: Memory in MiB; null where the kernel does not tell.
      returned: success
      type: int
      sample: 7936
    disk_free_mb:
      description: >-
        MiB free at Docker's storage root and at the deployment's directory, by path. Of a path that is not there yet,
        where it would be.
      returned: success
      type: dict
      sample: {/var/lib/docker: 40210, /opt/lago: 40210}
    cgroup:
      description: The version of control groups.
      returned: success
      type: int
      sample: 2
    ipv6:
      description: Whether the kernel has any IPv6 address.
      returned: success
      type: bool
    ipv6_disabled:
      description: Whether the kernel was started without IPv6 (C(ipv6.disable=1)), so that no process can listen on it.
      returned: success
      type: bool
    addresses:
      description: The server's own addresses; none where it may listen on others too (C(ip_nonlocal_bind)).
      returned: success
      type: list
      elements: str
      sample: [127.0.0.1, 192.0.2.7, "::1"]
    time_utc:
      description: The server's clock.
      returned: success
      type: str
      sample: "2026-01-31T12:00:00Z"
    docker:
      description: >-
        The Engine that answers; null when none does. C(packages) is the package it came with, C(managed) whether role
        P(selfhosted.lago.docker#role) brought it.
      returned: O(gather) has V(docker)
      type: dict
      sample:
        version: 28.5.1
        api_version: "1.51"
        client_version: 28.5.1
        storage_root: /var/lib/docker
        storage_driver: overlay2
        live_restore: true
        log_driver: json-file
        registry_mirrors: []
        rootless: false
        swarm: false
        packages: docker-ce
        managed: true
    compose:
      description: The Compose plugin of the Docker client; null when there is none.
      returned: O(gather) has V(docker)
      type: dict
      sample: {version: 2.40.0}
    docker_installed:
      description: >-
        What is installed, whether or not it answers. C(error) is why no Engine answers, C(interrupted) whether an
        installation of packages was broken off, C(pending) what the running daemon needs to follow its C(daemon.json):
        V(none), V(reload) or V(restart).
      returned: O(gather) has V(docker)
      type: dict
      sample:
        cli: true
        daemon: true
        package: docker-ce
        packages: {docker-ce: "5:28.5.1-1~debian.13~trixie"}
        managed: true
        interrupted: false
        pending: none
        error: null
    daemon_json:
      description: >-
        C(/etc/docker/daemon.json). Credentials in URLs are left out of C(content), and C(redacted) then is true.
      returned: O(gather) has V(docker)
      type: dict
      sample: {exists: true, valid: true, redacted: false, content: {live-restore: true}}
    containers:
      description: >-
        The container that stands for each service of the project, by service. C(own_name) is false for one that Compose
        did not give its name: run once, or left over where its making anew was broken off.
      returned: O(gather) has V(containers)
      type: dict
      sample:
        api:
          service: api
          name: lago-api-1
          id: 0123abc
          image: getlago/api:v1.51.0
          image_id: sha256:0123abc
          state: running
          health: healthy
          exit_code: 0
          started: "2026-01-31T12:00:00.000000000Z"
          restarts: 0
          oneoff: false
          own_name: true
          labels: {com.docker.compose.service: api, com.docker.compose.project.working_dir: /opt/lago}
          ports: [{address: 0.0.0.0, port: 443, target: 443/tcp}]
    other_containers:
      description: Further containers of the project, such as replicas, described alike.
      returned: O(gather) has V(containers)
      type: list
      elements: dict
    adopted_at_work:
      description: >-
        The running containers of the project whose data this deployment took over (C(adopted.json) in O(directory)), by
        name.
      returned: O(gather) has V(containers)
      type: list
      elements: str
      sample: []
    images:
      description: The ids of the local images, by O(images) or by their own names.
      returned: O(gather) has V(images)
      type: dict
      sample: {"getlago/api:v1.51.0": "sha256:0123abc"}
    image_digests:
      description: The digests that the tags of these images stand for on the server, where that is known.
      returned: O(gather) has V(images)
      type: dict
      sample: {redis:7-alpine: "sha256:4567def"}
    volumes:
      description: The names of the project's volumes; one that was put back by hand counts by its name.
      returned: O(gather) has V(volumes)
      type: list
      elements: str
      sample: [lago_db-data]
    networks:
      description: The names of the project's networks.
      returned: O(gather) has V(networks)
      type: list
      elements: str
      sample: [lago_data, lago_edge]
    listeners:
      description: >-
        The listening TCP sockets. C(ours) is true where a running container of the project publishes the port.
      returned: O(gather) has V(listeners)
      type: list
      elements: dict
      sample: [{port: 443, address: 0.0.0.0, process: docker-proxy, ours: true}]
    database:
      description: >-
        What the database says; null when none of the containers runs that it is asked through, which C(service) names:
        C(db), or for a server elsewhere C(database) during a run and C(api) otherwise. C(identifier) changes when the
        database is made anew. Numbers are null where their table is missing, all are when C(reachable) is false.
      returned: O(gather) has V(database)
      type: dict
      sample:
        service: db
        reachable: true
        error: null
        name: lago
        user: lago
        server_version: "15.14"
        identifier: 7500000000000000000-16384
        tables: 161
        schema_migrations: {count: 1075, max: "20260101120000"}
        organizations: 1
        users: 1
        encrypted_rows: 0
        invalid_indexes: 0
        password_accepted: true
        max_connections: 100
        may_create: true
        may_extend: true
        available: {pgcrypto: "1.3"}
        installed: {plpgsql: "1.0"}
        partman_usable: null
    proxy:
      description: >-
        The configuration that the proxy runs, whether its file comes to the same, its own authority's certificate, the
        ACME server that it orders from, and the certificates in its storage; null when it does not run.
      returned: O(gather) has V(proxy)
      type: dict
      sample:
        revision: 0123abc
        follows_file: true
        root_certificate: null
        acme_directory: https://acme-v02.api.letsencrypt.org/directory
        certificates: [{issuer: acme-v02.api.letsencrypt.org-directory, name: lago.example.com, pem: "-----BEGIN..."}]
    files:
      description: >-
        What lies in O(directory), and when a file was last put there or taken away, in nanoseconds. Secret files are
        only said to be there.
      returned: O(gather) has V(files)
      type: dict
      sample:
        directory: true
        touched: 1767182400000000000
        compose: true
        secrets: true
        api_key: true
        migrated: {version: v1.51.0}
        restoring: null
        upgrade: null
        adopted: null
        ca: null
    backup_timer:
      description: Whether the timer of the deployment's backups is there, and runs, also after the server's restart.
      returned: O(gather) has V(backup_timer)
      type: dict
      sample: {there: true, runs: true}
    release:
      description: >-
        Which release runs, by the API's own word, and the versions of all migrations in the database; null where nobody
        says.
      returned: O(gather) has V(release)
      type: dict
      sample: {api: v1.51.0, migrations: ["20260706173746", "20260721180721"]}
    git:
      description: Git; C(version) is null when it is not there.
      returned: O(gather) has V(git)
      type: dict
      sample: {version: 2.47.3}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._resource import run
from ansible_collections.selfhosted.lago.plugins.module_utils._server import ON_REQUEST, SUBJECTS, read


def main() -> None:
    run(
        AnsibleModule(
            argument_spec={
                "directory": {"type": "path"},
                "project": {"type": "str", "default": "lago"},
                "ports": {"type": "list", "elements": "int", "default": []},
                "images": {"type": "list", "elements": "str", "default": []},
                "gather": {
                    "type": "list",
                    "elements": "str",
                    "choices": [*SUBJECTS, *ON_REQUEST],
                    "default": list(SUBJECTS),
                },
            },
            supports_check_mode=True,
        ),
        read,
    )


if __name__ == "__main__":
    main()
