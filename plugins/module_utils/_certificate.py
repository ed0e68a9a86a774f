# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Orders certificates into the storage of a proxy that runs, without touching what it serves."""

from __future__ import annotations

import http.client
import json
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

#: Where the proxy tells its container's own name, on plain HTTP.
PATH = "/.well-known/acme-challenge/selfhosted-lago"
PORT = 80
_TIMEOUT = 10
_LONGEST = 200

#: A second Caddy beside the one that serves, with the same storage. It is stopped once each name has come to its end,
#: so that none is tried again and again, and ends by itself where nobody is left to stop it.
_SCRIPT = """timeout "$0" caddy run --config - --adapter caddyfile 2>&1 | {
left=$1
while IFS= read -r line; do
  printf '%s\\n' "$line"
  case $line in
    *'"certificate obtained successfully"'*|*'"certificate renewed successfully"'*) left=$((left - 1)) ;;
    *'"will retry"'*) left=$((left - 1)) ;;
  esac
  [ "$left" -gt 0 ] || break
done
caddy stop --address localhost:2021 >/dev/null 2>&1
cat
}"""
_DONE = ("certificate obtained successfully", "certificate renewed successfully")
_FAILED = "could not get certificate from issuer"
_ACCOUNT_GONE = "attempting to recreate"


def fetch(name: str) -> str:
    """Return what a name answers on port 80 where the proxy tells its container's name, or why it does not.

    :returns: the answer's first characters; no proxy of the environment is used, since ACME servers use none.
    """
    connection = http.client.HTTPConnection(name, PORT, timeout=_TIMEOUT)
    try:
        connection.request("GET", PATH)
        answer = connection.getresponse()
        body = answer.read(_LONGEST).decode("utf-8", "replace").strip()
        return body if answer.status == 200 else f"status {answer.status}"
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def order(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the result of the module C(certificate): C(obtained), the names.

    :raises LagoError: C(names_not_reached) before anything is ordered, C(order_failed) with what the ACME server said.
    """
    names = module.params["names"]
    if module.check_mode or not names:
        return {"changed": bool(names), "obtained": names}
    if not module.params["own"]:
        _check_names(module, _own_name(module))
    obtained, failed, said = _run(module, names)
    if failed and _ACCOUNT_GONE in said:
        # The account was unknown to the ACME server; by now there is a new one
        again, failed, said = _run(module, sorted(failed))
        obtained += again
    if failed or set(obtained) != set(names):
        raise _refused(names, obtained, failed, said)
    return {"changed": True, "obtained": obtained}


def _own_name(module: AnsibleModule) -> str:
    container = module.params["container"]
    command = ["docker", "inspect", "--format", "{{.Config.Hostname}}", container]
    status, output, _errors = module.run_command(command)
    if status or not output.strip():
        raise LagoError(
            f"The container {container} is not there: start the deployment's proxy.",
            "container_not_running",
            details={"container": container},
        )
    return output.strip()


def _check_names(module: AnsibleModule, own: str) -> None:
    """See that each name leads here, from the controller or from the server. Addresses say nothing: there is NAT."""
    lost = {}
    for name in module.params["names"]:
        outside = module.params["seen"].get(name, "not tried")
        if outside != own:
            inside = fetch(name)
            if inside != own:
                lost[name] = {"controller": outside[:_LONGEST], "server": inside}
    if lost:
        told = "; ".join(
            f"{name} (controller: {why['controller']}; server: {why['server']})" for name, why in lost.items()
        )
        raise LagoError(
            f"Nothing was ordered: on port {PORT}, these names do not lead to this deployment's proxy, as an ACME"
            f" server must find them: {told}. Point their DNS records (A, and AAAA if there is one) here, and open port"
            f" {PORT} in every firewall and router on the way.",
            "names_not_reached",
            details=lost,
        )


def _run(module: AnsibleModule, names: list[str]) -> tuple[list[str], dict[str, str], str]:
    """Order once; return the names obtained, what was said of those that were not, and all that was said."""
    limit = str(module.params["timeout"])
    command = ["docker", "exec", "-i", module.params["container"], "sh", "-c", _SCRIPT, limit, str(len(names))]
    _status, output, errors = module.run_command(command, data=module.params["config"], expand_user_and_vars=False)
    obtained: list[str] = []
    failed: dict[str, str] = {}
    for line in output.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("msg") in _DONE:
            obtained.append(entry["identifier"])
        elif entry.get("msg") == _FAILED:
            failed[entry["identifier"]] = str(entry.get("error"))
    return obtained, {name: why for name, why in failed.items() if name not in obtained}, output + errors


def _refused(names: list[str], obtained: list[str], failed: dict[str, str], said: str) -> LagoError:
    lacking = [name for name in names if name not in obtained]
    last = (said.strip().splitlines() or ["nothing"])[-1][:500]
    told = "; ".join(failed.values()) or f"there was no answer in time; the last words were: {last}"
    return LagoError(
        f"The ACME server issued no certificate for {', '.join(lacking)}, and what was served before is served still."
        f" It said: {told}. Mend what it names and run again; lago_acme_email with another address makes a new account"
        " where it is the account that is refused.",
        "order_failed",
        details={"obtained": obtained, "failed": failed},
    )
