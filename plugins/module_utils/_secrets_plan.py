# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Decides where each secret comes from, and refuses what would make a database unreadable. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils import _secrets
from ansible_collections.selfhosted.lago.plugins.module_utils._secrets import Problem, variable
from ansible_collections.selfhosted.lago.plugins.module_utils._secrets_file import Kept


class Database(t.NamedTuple):
    """What is known of the database. None is unknown, which counts as data.

    :param unasked: why it could not be asked, where that is known.
    """

    organizations: int | None
    encrypted_rows: int | None
    unasked: str = ""

    @property
    def holds_data(self) -> bool:
        """Whether something in it may need the secrets that were in use."""
        return self.organizations is None or self.organizations > 0 or bool(self.encrypted_rows)

    @property
    def reason(self) -> str:
        """Why it could not be asked, in brackets."""
        return f" ({self.unasked})" if self.unasked else ""

    def __str__(self) -> str:
        if self.organizations is None:
            return f"the database could not be asked whether it holds an organization{self.reason}"
        rows = f" and {self.encrypted_rows} encrypted rows" if self.encrypted_rows else ""
        return f"the database holds {self.organizations} organization{'' if self.organizations == 1 else 's'}{rows}"


class Plan(t.NamedTuple):
    """Where the secrets come from.

    :param given: names that are given.
    :param kept: names whose made value is in the file.
    :param missing: names to be made.
    :param problems: why none of that may be done.
    """

    given: list[str]
    kept: list[str]
    missing: list[str]
    problems: list[Problem]


def plan(
    path: str,
    kept: Kept | None,
    given: dict[str, str],
    database: Database,
    unused: t.Collection[str] = (),
    rotated: t.Collection[str] = (),
    adopted: dict[str, str] | None = None,
) -> Plan:
    """Return where each secret comes from.

    :param path: of the file, for the sentences.
    :param kept: what is in it.
    :param given: the values that are given, by name.
    :param database: what must stay readable.
    :param unused: names of those that nothing reads, which may be made anew.
    :param rotated: the names of those that shall be others than they are.
    :param adopted: the values that somebody else made, and with which the database is in use.
    """
    made = {**(adopted or {}), **(kept.secrets if kept else {})}
    missing = [name for name in _secrets.NAMES if name not in given and (name not in made or name in rotated)]
    needed = [name for name in missing if name not in unused and name not in rotated]
    withdrawn = tuple(name for name in needed if kept and name in kept.given)
    lost = tuple(name for name in needed if not adopted and name not in withdrawn and _is_lost(name, kept, database))
    former = [name for name in _secrets.ENCRYPTION if name not in rotated]
    problems = [_changed(name, path, kept, given.get(name), database) for name in former]
    problems += [_withdrawn(withdrawn), _lost(lost, path, database)]
    problems += [*_given_as_before(kept, given, rotated), _nothing_there(path, kept, rotated)]
    problems += [_of_another(path, kept, adopted or {})]
    problems += [_still_encrypted(database, [name for name in _secrets.ENCRYPTION if name in rotated])]
    return Plan(
        given=[name for name in _secrets.NAMES if name in given],
        kept=[name for name in _secrets.NAMES if name not in given and name not in missing],
        missing=missing,
        problems=[problem for problem in problems if problem],
    )


def _changed(name: str, path: str, kept: Kept | None, given: str | None, database: Database) -> Problem | None:
    """Refuse another encryption key than the one that was in use."""
    if kept is None or name not in kept.fingerprints or not database.holds_data:
        return None
    value = kept.secrets.get(name) if given is None else given
    if value is None or kept.fingerprints[name] == _secrets.fingerprint(kept.file_key, name, value):
        return None
    if given is None:
        source, way_out = f"{name} in {path}", "Put the file back from a backup."
    elif name in kept.secrets:
        source, way_out = variable(name), f"Remove {variable(name)}: the key that was made is still there."
    else:
        source, way_out = variable(name), f"Give {variable(name)} its former value."
    message = (
        f"{source} is not the key that was in use, and {database}: "
        f"what it encrypted could never be read again. {way_out}"
    )
    return Problem("encryption_key_changed", (name,), message)


def _withdrawn(names: tuple[str, ...]) -> Problem | None:
    """Refuse to make what was given before."""
    if not names:
        return None
    message = (
        f"{_secrets.listed(names)}: given before and missing now. Give what was given before; "
        "nothing is made anew in place of what was given."
    )
    return Problem("given_secret_missing", names, message)


def _is_lost(name: str, kept: Kept | None, database: Database) -> bool:
    """Return whether there must have been a value. What an older file has no trace of may be new to this release."""
    return database.holds_data and (kept is None or name in kept.fingerprints or bool(database.organizations))


def _lost(names: tuple[str, ...], path: str, database: Database) -> Problem | None:
    """Refuse new values for a database that may need the former ones."""
    if not names:
        return None
    unknown = database.organizations is None
    message = (
        f"{path} lacks {', '.join(names)}, and {database}: nothing is made anew for a database that may need "
        f"the former values. Put the file back from a backup, or give {_secrets.listed(names)}"
        f"{', or start the database so that it can be asked.' if unknown else '.'}"
    )
    return Problem("secrets_lost", names, message)


def _nothing_there(path: str, kept: Kept | None, rotated: t.Collection[str]) -> Problem | None:
    """Refuse to rotate what was never made."""
    if kept is not None or not rotated:
        return None
    message = f"There is no {path}, so there is nothing to rotate: are project and directory those of the deployment?"
    return Problem("nothing_to_rotate", tuple(rotated), message)


def _given_as_before(kept: Kept | None, given: dict[str, str], rotated: t.Collection[str]) -> t.Iterator[Problem]:
    """Refuse to rotate what is given and has not changed: nothing is made in place of what is given."""
    for name in [name for name in rotated if kept and name in given]:
        if kept and kept.fingerprints.get(name) == _secrets.fingerprint(kept.file_key, name, given[name]):
            message = (
                f"{variable(name)} is given, and is what it was: give another value where you keep it, or remove it "
                "there, then one is made on the server."
            )
            yield Problem("rotation_of_given", (name,), message)


def _still_encrypted(database: Database, names: list[str]) -> Problem | None:
    """Refuse other encryption keys unless there is nothing that the former ones encrypted."""
    if not names or database.encrypted_rows == 0:
        return None
    if database.encrypted_rows is None:
        what = (
            f"The database could not be asked whether anything is encrypted with the present keys{database.reason}: "
            "start it, or mend what is said of it."
        )
    else:
        many = "row is" if database.encrypted_rows == 1 else "rows are"
        what = (
            f"{database.encrypted_rows} {many} encrypted with the present keys (payment providers and integrations), "
            "and Lago cannot encrypt them anew. Keep the keys; or remove these connections in Lago, rotate, and enter "
            "them again. Lago keeps the row of a payment provider that was removed: set its secrets to NULL."
        )
    return Problem("encryption_rows_there", tuple(names), what)


def _of_another(path: str, kept: Kept | None, adopted: dict[str, str]) -> Problem | None:
    """Refuse to adopt where another deployment is."""
    known = kept.fingerprints if kept else {}
    key = kept.file_key if kept else ""
    other = [
        name
        for name, value in adopted.items()
        if name in known and known[name] != _secrets.fingerprint(key, name, value)
    ]
    if not other:
        return None
    message = f"{path} is of another deployment: give the one that is taken over a lago_directory of its own."
    return Problem("other_deployment", tuple(other), message)
