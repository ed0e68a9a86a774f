# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""The secrets that a deployment has on its server, whoever gave or made them, read where they are used."""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._scrub import HIDDEN, of_url
from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Machine, parsed

#: The folder of the files by which services elsewhere are asked before those of the deployment are written.
ASKED = "asked"
# Variables whose values are no secret. All others are, whatever they are called: a person may add any.
_OPEN = re.compile(
    r"RAILS_ENV|APP_ENV|HOME|PGDATA|API_URL|POSTGRES_(DB|USER)|RAILS_LOG_\w+|LAGO_(API|FRONT|PDF|OAUTH_PROXY)_URL"
    r"|PG(HOST|PORT|USER|DATABASE|SSLMODE|SSLROOTCERT|SSLCERT|SSLKEY)|SSL_CERT_FILE|TZ|LAGO_FROM_EMAIL"
    r"|LAGO_(REDIS_\w+_(SENTINELS|NAME)|MEMCACHE_SERVERS|AWS_S3_ENDPOINT|GCS_PROJECT|GCS_KEYFILE_JSON_PATH)"
    r"|LAGO_DISABLE_\w+|\w+_(HOST|PORT|REGION|ADDRESS|DOMAIN|POOL|CONCURRENCY|THREADS|ENABLED|TIMEOUT|LEVEL|BUCKET)"
)
_LINE = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="(.*)"\Z')
_ESCAPED = re.compile(r"\\(.)")
_CHARACTERS = {"n": "\n", "r": "\r"}
#: A value that is hidden and shorter than this is a switch or a number rather than a secret.
_SHORTEST = 8
_CERTAINLY = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|AUTH")
#: Names in JSON files: ours, Docker's and Google's.
_NAMED = re.compile(r"(secrets?|password|token|_key|auth)\Z")
_QUOTED = re.compile(r'"([^"]+)"$', re.MULTILINE)
_BYTE = re.compile(rb"\\x([0-9a-f]{2})")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)


def environment(text: str) -> dict[str, str]:
    """Return the variables of an environment file of ours."""
    found = (_LINE.match(line) for line in text.splitlines())
    return {match.group(1): _plain(match.group(2)) for match in found if match}


def _plain(quoted: str) -> str:
    return _ESCAPED.sub(lambda match: _CHARACTERS.get(match.group(1), match.group(1)), quoted)


def masked(text: str) -> str:
    """Return an environment file with the values of all variables hidden that are not known to be no secret."""
    lines = []
    for line in text.splitlines():
        match = _LINE.match(line)
        hidden = match and not _OPEN.fullmatch(match.group(1))
        lines.append(f'{match.group(1)}="{HIDDEN}"' if match and hidden else line)
    return "\n".join(lines) + "\n"


def files(machine: Machine, directory: str) -> dict[str, str]:
    """Return the texts of a deployment's environment files by their names."""
    return dict(_texts(machine, directory, "env/*.env"))


def secrets(machine: Machine, directory: str) -> set[str]:
    """Return every secret value that is kept in a deployment's directory, and what is encoded in one."""
    found: set[str] = set()
    for place in (directory, f"{directory}/{ASKED}"):
        for pattern, read in READERS.items():
            for _name, text in _texts(machine, place, pattern):
                for value in read(text):
                    found.update((value, *of_url(value), *_encoded(value)))
    return {value for value in found if value}


def _texts(machine: Machine, directory: str, pattern: str) -> t.Iterator[tuple[str, str]]:
    """Yield the names of the deployment's files that match, with what is in each that can be read."""
    try:
        names = sorted(path.relative_to(machine.path(directory)) for path in machine.path(directory).glob(pattern))
    except OSError:
        return
    for name in names:
        text = machine.text(f"{directory}/{name}")
        if text is not None:
            yield name.name, text


def _encoded(value: str) -> t.Iterator[str]:
    """Yield what is in base64 in a value: the parts of a login, or a private key."""
    try:
        plain = base64.b64decode(value.rpartition(" ")[2], validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return
    yield from _private_keys(plain)
    if ":" in plain:
        yield plain.partition(":")[2]


def _of_environment(text: str) -> t.Iterator[str]:
    for name, value in environment(text).items():
        if not _OPEN.fullmatch(name) and (len(value) >= _SHORTEST or _CERTAINLY.search(name)):
            yield value


def _of_json(text: str) -> t.Iterator[str]:
    """Yield what has the name of a secret, and all that is under C(secrets), at any depth."""
    return _named(parsed(text), False)


def _named(value: t.Any, secret: bool) -> t.Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "fingerprints":
                yield from _named(inner, secret or bool(_NAMED.search(name)))
    elif secret and isinstance(value, str):
        yield value


def _quoted(text: str) -> t.Iterator[str]:
    """Yield what is in double quotes at the end of a line; Redis has bytes by their numbers there."""
    for quoted in _QUOTED.findall(text):
        raw = _BYTE.sub(lambda match: bytes.fromhex(match.group(1).decode("ascii")), quoted.encode("utf-8"))
        yield raw.decode("utf-8", "replace")


def _private_keys(text: str) -> t.Iterator[str]:
    yield from _PRIVATE_KEY.findall(text)


def _of_a_person(text: str) -> t.Iterator[str]:
    """Yield the secrets of a file that the operator gave, a certificate or a key in PEM or JSON."""
    yield from _private_keys(text)
    yield from _of_json(text)


def _of_docker(text: str) -> t.Iterator[str]:
    """Yield the key to a bucket, or a password, of a file for C(docker run), which takes every line as it stands."""
    for line in text.splitlines():
        name, _equals, value = line.partition("=")
        if name in ("AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
            yield value


def _whole(text: str) -> t.Iterator[str]:
    yield text.strip()


#: Every file of a deployment that holds a secret, whoever wrote it, and what reads the secrets in its text.
READERS: dict[str, t.Callable[[str], t.Iterator[str]]] = {
    "secrets.json": _of_json,
    "api_key.json": _of_json,
    "docker/config.json": _of_json,
    "env/*.env": _of_environment,
    "mounts/*": _of_a_person,
    "program/on-failure": _whole,
    "program/postgres.env": _of_docker,
    "program/s3.env": _of_docker,
    "proxy/tls/*.key": _private_keys,
    "proxy/tls/eab": _quoted,
    "proxy/tls/users": _quoted,
    "redis/*.conf": _quoted,
}
