# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, where Active Storage keeps them: a folder, S3, or Google Cloud Storage."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from standin.failures import RubyError
from standin.settings import APP, env, from_yaml, is_true, present


class Service(Protocol):
    """A place for files, each under a key."""

    def upload(self, key: str, content: bytes) -> None:
        """:raises RubyError: when it is not kept."""

    def download(self, key: str) -> bytes:
        """:raises RubyError: when it is not there, or out of reach."""


def service() -> Service:
    """The place that the environment names.

    :raises RubyError: when what it says of S3 is not enough; no process boots then.
    """
    if is_true("LAGO_USE_AWS_S3"):
        return S3()
    return Google() if is_true("LAGO_USE_GCS") else Disk()


def _missing(key: str) -> RubyError:
    return RubyError("ActiveStorage::FileNotFoundError", f"ActiveStorage::FileNotFoundError ({key})")


class Disk:
    """Below /app/storage, in folders by the first letters of the key."""

    def _path(self, key: str) -> Path:
        return APP / "storage" / key[:2] / key[2:4] / key

    def upload(self, key: str, content: bytes) -> None:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise RubyError("Errno::EACCES", f"{error.strerror} @ dir_s_mkdir - {path.parent}") from error

    def download(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except OSError as error:
            raise _missing(key) from error


def _curl(url: str, body: bytes | None = None, **options: str) -> tuple[int, bytes]:
    """One request by curl, which signs for S3 itself. What it needs to know goes in on its standard input.

    :raises RubyError: when there is no answer.
    """
    with tempfile.NamedTemporaryFile() as content:
        asked = {"url": url, "max-time": "30", "write-out": "\n%{http_code}", **options}
        if body is not None:
            content.write(body)
            content.flush()
            asked["data-binary"] = f"@{content.name}"
        lines = [f'{name} = "{_quoted(value)}"' if value else name for name, value in asked.items()]
        command = ["curl", "--silent", "--show-error", "--config", "-"]
        text = "\n".join([*lines, ""]).encode()
        done = subprocess.run(command, input=text, capture_output=True, check=False)
    if done.returncode:
        raise RubyError("Seahorse::Client::NetworkingError", done.stderr.decode().strip())
    answer, _, status = done.stdout.rpartition(b"\n")
    return int(status), answer


def _quoted(value: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(escapes.get(letter, letter) for letter in value)


class S3:
    """A bucket at Amazon, or at the endpoint that is named."""

    def __init__(self) -> None:
        self._region, self._bucket = (str(from_yaml(f"LAGO_AWS_S3_{part}") or "") for part in ("REGION", "BUCKET"))
        if not self._region:
            raise RubyError("Aws::Errors::MissingRegionError", "missing keyword :region")
        if not self._bucket:
            raise RubyError("ArgumentError", "missing required option :name")
        key, secret = (from_yaml(f"LAGO_AWS_S3_{part}") for part in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
        self._options = {"user": f"{key}:{secret}", "aws-sigv4": f"aws:amz:{self._region}:s3"}
        endpoint, path_style = f"https://s3.{self._region}.amazonaws.com", False
        if present("LAGO_AWS_S3_ENDPOINT"):
            endpoint, path_style = env("LAGO_AWS_S3_ENDPOINT"), bool(from_yaml("LAGO_AWS_S3_PATH_STYLE", False))
            if not from_yaml("LAGO_AWS_S3_SSL_VERIFY", True):
                self._options["insecure"] = ""
        self._base = self._address(endpoint.rstrip("/"), path_style)

    def _address(self, endpoint: str, path_style: bool) -> str:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https"):
            raise RubyError("ArgumentError", "expected :endpoint to be a HTTP or HTTPS endpoint")
        return f"{endpoint}/{self._bucket}" if path_style else f"{parts.scheme}://{self._bucket}.{parts.netloc}"

    def _ask(self, key: str, content: bytes | None = None, **options: str) -> bytes:
        status, answer = _curl(f"{self._base}/{quote(key)}", content, **self._options, **options)
        if status == 200:
            return answer
        try:
            said = {node.tag.rpartition("}")[2]: node.text or "" for node in ElementTree.fromstring(answer)}
        except ElementTree.ParseError:
            said = {}
        if said.get("Code") == "NoSuchKey":
            raise _missing(key)
        raise RubyError(f"Aws::S3::Errors::{said.get('Code', f'Http{status}Error')}", said.get("Message", ""))

    def upload(self, key: str, content: bytes) -> None:
        self._ask(key, content, request="PUT", header="Content-Type: application/gzip")

    def download(self, key: str) -> bytes:
        return self._ask(key)


class Google:
    """A bucket at Google, or at the emulator that STORAGE_EMULATOR_HOST names, for which no session is opened."""

    def __init__(self) -> None:
        self._bucket = str(from_yaml("LAGO_GCS_BUCKET") or "")

    def _base(self, kind: str) -> str:
        self._check_key()
        if not present("STORAGE_EMULATOR_HOST"):
            resolve = "getaddrinfo(3): Name or service not known (oauth2.googleapis.com:443)"
            raise RubyError("Signet::RemoteServerError", f"Failed to open TCP connection: {resolve}")
        return f"{env('STORAGE_EMULATOR_HOST').rstrip('/')}/{kind}/b/{quote(self._bucket, safe='')}/o"

    def _check_key(self) -> None:
        """The key of a service account, for which Google would open a session."""
        path = env("LAGO_GCS_KEYFILE_JSON_PATH", str(APP / "gcs_keyfile.json"))
        try:
            found: dict[str, Any] = json.loads(Path(path).read_text())
        except FileNotFoundError as error:
            raise RubyError("", f"The keyfile '{path}' is not a valid file.") from error
        except (OSError, ValueError) as error:
            raise RubyError("JSON::ParserError", str(error)) from error
        if found.get("type") != "service_account" or not found.get("client_email"):
            raise RubyError("", "missing client_email in the key of a service account")
        try:
            load_pem_private_key(str(found.get("private_key")).encode(), password=None)
        except ValueError as error:
            raise RubyError("OpenSSL::PKey::RSAError", "Neither PUB key nor PRIV key") from error

    def _check(self, status: int, answer: bytes) -> bytes:
        if status != 200:
            kind = "NotFoundError" if status == 404 else "PermissionDeniedError"
            raise RubyError(f"Google::Cloud::{kind}", answer.decode(errors="replace")[:500])
        return answer

    def upload(self, key: str, content: bytes) -> None:
        url = f"{self._base('upload/storage/v1')}?uploadType=media&name={quote(key, safe='')}"
        self._check(*_curl(url, content, header="Content-Type: application/gzip"))

    def download(self, key: str) -> bytes:
        try:
            return self._check(*_curl(f"{self._base('storage/v1')}/{quote(key, safe='')}?alt=media"))
        except RubyError as error:
            if error.kind == "Google::Cloud::NotFoundError":
                raise _missing(key) from error
            raise
