# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo` and `make demo-down`: one server on this machine, deployed by the playbook as any user would run it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

from outside.deployment import Deployment
from outside.lago_user import LagoUser
from testbed import bed, registry, servers

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".cache" / "demo"
SERVER = "lago-demo"
URL = "https://lago.localhost:8443"
PORTS = ("127.0.0.1:8080:8080", "127.0.0.1:8443:8443")


def variables(images_from: str) -> Path:
    """The six lines of a variable file, the password made anew on each machine, and what the test bed alone needs."""
    path = CACHE / "vars.json"
    CACHE.mkdir(parents=True, exist_ok=True)
    old = json.loads(path.read_text()) if path.exists() else {}
    chosen = {
        "lago_domain": "lago.localhost",
        "lago_http_port": 8080,
        "lago_https_port": 8443,
        "lago_admin_email": "admin@example.com",
        "lago_admin_password": old.get("lago_admin_password") or f"{secrets.token_urlsafe(15)}aA1!",
        "lago_organization_name": "Demo",
    }
    if images_from != "hub":
        chosen["lago_docker_source"] = "distribution"
        chosen["lago_docker_registry_mirrors"] = [registry.mirror()]
    path.touch(mode=0o600)
    path.write_text(json.dumps(chosen, indent=2))
    return path


def up() -> int:
    images_from = bed.up()["images_from"]
    servers.create(SERVER, "bare", PORTS)
    chosen = variables(images_from)
    environment = {**os.environ, "ANSIBLE_PIPELINING": "true"}
    play = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [play, "selfhosted.lago.site", "-i", str(HERE / "inventory.yml"), "-e", f"@{chosen}"]
    code = subprocess.run(command, env=environment, check=False).returncode
    if code:
        return code
    report(Deployment(SERVER, HERE / "inventory.yml"), images_from, chosen)
    return 0


def report(deployment: Deployment, images_from: str, chosen: Path) -> None:
    """What a person wants to know now, and one event metered for real."""
    cafile = CACHE / "ca.crt"
    cafile.write_text(deployment.read("/opt/lago/ca.crt"))
    usage = LagoUser(URL, cafile=str(cafile)).meter(deployment.key, units=3)
    print(f"""
Lago runs at {URL}
  organization  Demo, administrator admin@example.com
  password      lago_admin_password in {chosen.relative_to(HERE.parent)}
  API key       docker exec {SERVER} cat /opt/lago/api_key.json
  certificate   trust {cafile.relative_to(HERE.parent)} in your browser, or accept its warning
  one event     of 3 units was sent with the key: the customer's current usage is
                {usage["units"]} units, {usage["amount_cents"]} cents""")
    if images_from != "hub":
        print("""
Docker Hub does not answer from here. The API, the front and the PDF renderer are therefore STAND-INS
of the test bed, not the real Lago; the database, Redis and the proxy are real, built from Debian's packages.""")


def down() -> int:
    servers.remove(SERVER)
    bed.down(everything=True)
    for path in CACHE.glob("*"):
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(down() if sys.argv[1:] == ["down"] else up())
