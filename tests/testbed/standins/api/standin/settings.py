# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment, read the way Rails and Lago read it, and what is known of the release."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml

from standin.failures import RubyError

HOME = Path(__file__).resolve().parents[1]
APP = Path("/app")
FALSE = {"false", "f", "0", "off", "FALSE", "F", "OFF"}


def env(name: str, default: str = "") -> str:
    """`ENV.fetch(name, default)`: a blank value stays blank."""
    return os.environ.get(name, default)


def present(name: str) -> bool:
    """`ENV[name].present?`: "false" is present."""
    return bool(os.environ.get(name, "").strip())


def is_true(name: str) -> bool:
    """`ENV[name] == "true"`: neither "True" nor "1" nor "yes"."""
    return os.environ.get(name) == "true"


def boolean(name: str) -> bool:
    """`ActiveModel::Type::Boolean.new.cast(ENV[name])`: anything but blank and the words for no."""
    value = os.environ.get(name, "")
    return value != "" and value not in FALSE


def from_yaml(name: str, default: Any = None) -> Any:
    """What becomes of a value that a configuration file takes over without quotes: YAML decides what it is.

    :raises RubyError: `Psych::SyntaxError`, when the file is no YAML any more.
    """
    if name not in os.environ:
        return default
    try:
        return yaml.safe_load(f"value: {os.environ[name]}")["value"]
    except yaml.YAMLError as error:
        raise RubyError("Psych::SyntaxError", f"(<unknown>): {str(error).splitlines()[0]}") from error


class Release:
    """The release that this image stands in for, and in what it differs from the newest one."""

    def __init__(self, version: str, releases: list[dict[str, Any]]) -> None:
        names = [entry["version"] for entry in releases]
        if version not in names:
            raise ValueError(f"{version} is not in releases.json")
        self.version = version
        self.up_to = names[: names.index(version) + 1]
        self.without: dict[str, list[str]] = releases[names.index(version)]["without"]

    @property
    def url(self) -> str:
        return f"https://github.com/getlago/lago-api/tree/{self.version}"

    def trim(self, what: str, record: dict[str, Any]) -> dict[str, Any]:
        """The record without the keys that this release does not know yet."""
        unknown = self.without.get(what, ())
        return {key: value for key, value in record.items() if key not in unknown}


def _load() -> Release:
    version = (APP / "LAGO_VERSION").read_text().strip()
    return Release(version, json.loads((HOME / "releases.json").read_text()))


RELEASE = _load()
for _name in RELEASE.without.get("environment", ()):
    os.environ.pop(_name, None)

if __name__ == "__main__":  # when the image is built
    for _path in RELEASE.without.get("files", ()):
        (APP / _path).unlink()
