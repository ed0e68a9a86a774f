# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # The options of module_utils/_client.py, connection_spec()
    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Where the Lago API is, without C(/graphql) or C(/api/v1), for instance V(https://lago.example.com).
      - If it is not set, the environment variable E(LAGO_API_URL) is used.
      - Required, unless O(container) is set. Inside a container it is V(http://127.0.0.1:3000), unless another URL of
        the
        loopback is set; any other URL is not used there.
    type: str
  connect_to:
    description:
      - The address to connect to instead of what the host name of O(api_url) resolves to, as V(ADDRESS) or
        V(ADDRESS:PORT).
      - The name for which the certificate is checked, and the C(Host) header, stay those of O(api_url). With it a
        server
        can be asked about itself before its name resolves.
      - If it is not set, the environment variable E(LAGO_CONNECT_TO) is used.
    type: str
  container:
    description:
      - The name of a running Docker container of Lago's API on the host where the module runs. Its own loopback is
        asked
        through C(docker exec), so the API need not listen anywhere else.
      - O(connect_to), O(validate_certs) and O(ca_path) do not apply then.
    type: str
  validate_certs:
    description:
      - Whether the certificate must be trusted and of the right name. Better than V(false) is O(ca_path).
      - If it is not set, the environment variable E(LAGO_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - A file with the PEM certificates that are trusted, instead of those that the system trusts.
      - If it is not set, the environment variable E(LAGO_CA_PATH) is used.
    type: path
  timeout:
    description:
      - How many seconds to wait for a connection, and for each answer.
    type: int
    default: 30
  retries:
    description:
      - How often a request is repeated, with growing pauses, when it could not be made because the connection was
        refused,
        or, if it only reads, when a proxy answered 502, 503 or 504 or the connection was closed.
      - What changes something in Lago is never repeated once it was sent.
    type: int
    default: 3
notes:
  - Proxies named by environment variables are not used.
  - A failure has, beside C(msg), the return value C(failure) with C(code), C(status) and C(details).
"""
