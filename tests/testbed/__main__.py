# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: python -m testbed up | down | status | server create NAME | server remove NAME."""

from __future__ import annotations

import argparse
import json
import sys

from docker.errors import DockerException

from testbed import bed, servers
from testbed.settings import TestbedError


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="testbed", description="The test bed of selfhosted.lago.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="engine, images, registry and repositories: makes what is missing")
    down = commands.add_parser("down", help="remove servers and services; what was built stays")
    down.add_argument("--all", action="store_true", help="also remove images and data, and stop an engine `up` started")
    commands.add_parser("status", help="what is there, as JSON")
    server = commands.add_parser("server", help="create or remove a server").add_subparsers(dest="verb", required=True)
    create = server.add_parser("create")
    create.add_argument("name")
    create.add_argument("--image", choices=sorted(servers.IMAGES), default="bare")
    create.add_argument("--publish", action="append", default=[], metavar="127.0.0.1:8443:8443")
    server.add_parser("remove").add_argument("name")
    return parser.parse_args()


def main() -> int:
    """Do what the command line asks and return the exit code."""
    arguments = _arguments()
    try:
        if arguments.command == "up":
            print(json.dumps(bed.up(), indent=2))
        elif arguments.command == "down":
            bed.down(everything=arguments.all)
        elif arguments.command == "status":
            print(json.dumps(bed.status(), indent=2))
        elif arguments.verb == "create":
            made = servers.create(arguments.name, arguments.image, tuple(arguments.publish))
            print(json.dumps(made.as_dict(), indent=2))
        else:
            servers.remove(arguments.name)
    except (TestbedError, DockerException) as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
