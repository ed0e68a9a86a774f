# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the variables of a deployment, or with the server that is to carry it. PRIVATE to the collection.

Settings and readings go in, problems come out, each ``{"variable": name, "code": word, "message": sentence with the
way out}``. The rules are in the files beside this one, by what they are about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils import (
    _problems_account,
    _problems_address,
    _problems_adoption,
    _problems_backup,
    _problems_certificate,
    _problems_database,
    _problems_edge,
    _problems_external,
    _problems_known,
    _problems_outside,
    _problems_places,
    _problems_redis,
    _problems_releases,
    _problems_rotation,
    _problems_secrets,
    _problems_server,
    _problems_services,
    _problems_sizes,
    _problems_types,
    _problems_upgrade,
)
from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import (
    RULES,
    Case,
    Problem,
    judge,
    problem,
)
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_server import MINIMUM_COMPOSE, MINIMUM_ENGINE
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import blank, known
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import numbers as _version

__all__ = [
    "MINIMUM_COMPOSE",
    "MINIMUM_ENGINE",
    "RULES",
    "Problem",
    "_version",
    "admin_problems",
    "database_problems",
    "known_names",
    "name_problems",
    "outside_problems",
    "outside_warnings",
    "problem",
    "problem_report",
    "running_release",
    "server_problems",
    "setting_problems",
    "setting_warnings",
]

known_names = _problems_types.known_names
running_release = _problems_upgrade.running_release

#: Importing a file enters its rules.
_FILES = (
    _problems_types,
    _problems_account,
    _problems_address,
    _problems_adoption,
    _problems_backup,
    _problems_certificate,
    _problems_edge,
    _problems_external,
    _problems_database,
    _problems_known,
    _problems_outside,
    _problems_places,
    _problems_redis,
    _problems_releases,
    _problems_rotation,
    _problems_secrets,
    _problems_services,
    _problems_sizes,
    _problems_server,
    _problems_upgrade,
)


def name_problems(names: Sequence[str]) -> list[Problem]:
    """Return the names that are slips of known ones.

    :param names: The names of all variables of the host that begin as those of the collection do.
    """
    return judge(Case(names=tuple(names)), "names")


def setting_problems(
    settings: Mapping[str, Any], roles: Sequence[str] = ("stack",), files: Mapping[str, str | None] | None = None
) -> list[Problem]:
    """Return every problem that the variables, and the files that they name, show.

    :param settings: The public variables that are defined, by name.
    :param roles: The roles of the collection that the run goes on to: what they demand must be there.
    :param files: What the operator's files on the controller hold, by the variable that names them.
    """
    case = Case(given=known(settings), roles=tuple(roles), files=known(files or {}))
    return judge(case, "types", "account", "settings")


def setting_warnings(settings: Mapping[str, Any]) -> list[Problem]:
    """Return what is allowed and unwise, of the same form.

    :param settings: The public variables that are defined, by name.
    """
    return judge(Case(given=known(settings)), "warnings")


def admin_problems(email: object, password: object, organization: object) -> list[Problem]:
    """Return what the front would not let the administrator type, although the API would take it."""
    given = {"lago_admin_email": email, "lago_admin_password": password, "lago_organization_name": organization}
    return setting_problems({name: value for name, value in given.items() if not blank(value)}, ("bootstrap",))


def server_problems(
    server: Mapping[str, Any],
    settings: Mapping[str, Any],
    docker_expected: bool = True,
    restoring: bool = False,
    upgrading: bool = True,
) -> list[Problem]:
    """Return every problem that a reading of the server shows.

    :param server: What module ``server_info`` returned.
    :param settings: The public variables by name.
    :param docker_expected: Whether Docker must be there by now; not so where another role has yet to bring it.
    :param restoring: Whether the run brings a backup back.
    :param upgrading: Whether the run brings the deployment to the wanted release.
    """
    given = known(settings)
    case = Case(given=given, server=server, docker_expected=docker_expected, restoring=restoring, upgrading=upgrading)
    return judge(case, "server")


def database_problems(server: Mapping[str, Any], settings: Mapping[str, Any], restoring: bool = False) -> list[Problem]:
    """Return what keeps a database of the operator's own from being Lago's.

    :param server: What module ``server_info`` returned, with what the database said.
    :param settings: The public variables by name.
    :param restoring: Whether the run brings a backup back, and with it the secrets of what is there.
    """
    return judge(Case(given=known(settings), server=server, restoring=restoring), "database")


def outside_problems(answers: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Problem]:
    """Return what keeps Lago from working with what it is connected to.

    :param answers: What the services said, by the names that roles/stack/files/probe.rb has for them.
    :param settings: The public variables by name.
    """
    return judge(Case(given=known(settings), answers=plain(answers)), "outside")


def outside_warnings(answers: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Problem]:
    """Return what is allowed and unwise about what Lago is connected to, asked for in the same way."""
    return judge(Case(given=known(settings), answers=plain(answers)), "outside warnings")


def problem_report(problems: Sequence[Mapping[str, Any]], headline: str) -> str:
    """Return all problems as one readable block."""
    lines = [headline] + [f"  {number}. {entry['message']}" for number, entry in enumerate(problems, 1)]
    return "\n".join(lines)
