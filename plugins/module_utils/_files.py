# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Files that are replaced as a whole, with their owner and mode from the first moment on."""

from __future__ import annotations

import contextlib
import fcntl
import grp
import os
import pwd
import re
import stat
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

UNKNOWN_ID = -1
#: What the name of a file ends with until it is whole.
UNFINISHED = ".lago-new"
_MODE = re.compile(r"0[0-7]{3}")


class Attributes(t.NamedTuple):
    """Who owns a file and who may do what with it. An id is C(UNKNOWN_ID) where check mode could not know it."""

    mode: int
    uid: int
    gid: int

    def __str__(self) -> str:
        return f"mode {self.mode:04o}, owner {self.uid}, group {self.gid}"


def parse_mode(mode: str) -> int:
    """Return the mode as a number.

    :raises LagoError: C(invalid_mode), for instance for an unquoted number, which YAML reads as another one.
    """
    if not _MODE.fullmatch(mode):
        raise LagoError(
            f"{mode!r} is no mode: write it as four octal digits in quotes, for instance '0600'.", "invalid_mode"
        )
    return int(mode, 8)


def user_id(name: str | None, may_be_unknown: bool = False) -> int:
    """Return the id of a user given by name or number; None is the user that runs this.

    :param may_be_unknown: return C(UNKNOWN_ID) for a user that does not exist (yet).
    :raises LagoError: C(unknown_owner).
    """
    return _id(name, os.geteuid(), lambda user: pwd.getpwnam(user).pw_uid, "user", may_be_unknown)


def group_id(name: str | None, may_be_unknown: bool = False) -> int:
    """Return the id of a group given by name or number; None is the group that runs this.

    :param may_be_unknown: return C(UNKNOWN_ID) for a group that does not exist (yet).
    :raises LagoError: C(unknown_owner).
    """
    return _id(name, os.getegid(), lambda group: grp.getgrnam(group).gr_gid, "group", may_be_unknown)


def _id(name: str | None, own: int, look_up: t.Callable[[str], int], kind: str, may_be_unknown: bool) -> int:
    if not name:
        return own
    if name.isdecimal():
        return int(name)
    try:
        return look_up(name)
    except KeyError:
        if may_be_unknown:
            return UNKNOWN_ID
    raise LagoError(f"There is no {kind} {name} on this host: make it first, or give a number.", "unknown_owner")


def attributes(path: str) -> Attributes | None:
    """Return the attributes of a regular file or a directory, None for anything else. Links are not followed."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        return None
    return Attributes(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)


def read(path: str) -> bytes | None:
    """Return the content of a regular file, None when there is none; a symbolic link is none.

    :raises LagoError: C(not_a_file).
    """
    if os.path.islink(path):
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        raise LagoError(f"{path} is a directory, a file is to be there: move it away.", "not_a_file") from None


@contextlib.contextmanager
def alone(directory: str) -> t.Iterator[None]:
    """Let nobody else change the files of the directory meanwhile. Whoever is killed holds nobody up."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(module: AnsibleModule, path: str, content: bytes, wanted: Attributes) -> None:
    """Replace the file, so that there is always either the whole old or the whole new one, and never a readable secret.

    The module's own atomic_move would give a new file another mode for a moment, and follow a symbolic link to copy its
    target's. A name that a killed run left behind is used again, so that nothing with a secret in it piles up.
    """
    with alone(os.path.dirname(path)):
        replace(module, path, content, wanted)


def replace(module: AnsibleModule, path: str, content: bytes, wanted: Attributes) -> None:
    """Do what L(write) does, for a caller that is L(alone) already."""
    temporary = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}{UNFINISHED}")
    if os.path.lexists(temporary):
        os.unlink(temporary)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            set_attributes(file.fileno(), wanted)
            file.flush()
            os.fsync(file.fileno())
        if module.selinux_enabled():
            known = attributes(path) is not None
            context = module.selinux_context(path) if known else module.selinux_default_context(path)
            module.set_context_if_different(temporary, context, False)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_directory(os.path.dirname(path))


def set_attributes(target: str | int, wanted: Attributes) -> None:
    """Give a file (by its path or its descriptor) its owner, then its mode."""
    found = os.stat(target)
    if (found.st_uid, found.st_gid) != (wanted.uid, wanted.gid):
        os.chown(target, wanted.uid, wanted.gid)
    os.chmod(target, wanted.mode)


def sync_directory(path: str) -> None:
    """Make sure that what was renamed in a directory outlives a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
