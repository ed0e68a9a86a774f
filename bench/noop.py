# SPDX-License-Identifier: GPL-3.0-or-later
"""A converge with nothing to do against ping and `docker compose up -d` by hand."""

from __future__ import annotations

from figures import BIN, HERE, ROOT, load, page, seconds
from outside.deployment import Deployment

INVENTORY = ROOT / "demo" / "inventory.yml"
VARIABLES = f"@{ROOT / '.cache' / 'demo' / 'vars.json'}"
COMPOSE = "docker compose --project-directory /opt/lago -f /opt/lago/compose.yml up -d"
RUNS = 5


def main() -> None:
    before, server = load(), Deployment("lago-demo", INVENTORY)
    play = [str(BIN / "ansible-playbook"), "-i", str(INVENTORY), "-e", VARIABLES]
    ansible = [str(BIN / "ansible"), "lago", "-i", str(INVENTORY)]
    ways = {
        "site.yml, nothing to do": [[*play, "selfhosted.lago.site"]],
        "the same without verification": [[*play, str(HERE / "converge.yml")]],
        "ping + compose up -d through Ansible": [
            [*ansible, "-m", "ansible.builtin.ping"],
            [*ansible, "-m", "ansible.builtin.command", "-a", COMPOSE],
        ],
        "ping + compose up -d in the server's own shell": [
            [*ansible, "-m", "ansible.builtin.ping"],
            ["docker", "exec", "lago-demo", *COMPOSE.split()],
        ],
    }
    figures: dict[str, list[float]] = {name: [] for name in ways}
    starts: dict[str, int] = {}
    for run in range(RUNS + 1):
        for name, commands in ways.items():
            if not run:  # warms up, and is counted instead of timed
                counting = ("-e", f"ansible_python_interpreter={server.count_starts()}")
                seconds(*([*command, *counting] if command[0] != "docker" else command for command in commands))
                starts[name] = server.starts()
            else:
                figures[name].append(seconds(*commands))
    page("noop", "No-op converge", figures, starts, before)


if __name__ == "__main__":
    main()
