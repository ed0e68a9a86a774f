# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to this collection: may change or go without notice.
"""Renders templates as ansible.builtin.template does, on every supported ansible-core, and never tells a value."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from ansible import template as core
from ansible.errors import AnsibleUndefinedVariable
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from jinja2 import TemplateSyntaxError, UndefinedError

# Since ansible-core 2.19, which takes the environment of its own for every template
trust_as_template = getattr(core, "trust_as_template", None)

# What errors say of names; anything else that they say may be a value
_NAME = "['\"][A-Za-z_][A-Za-z0-9_.]*['\"]"
_OBJECT = "(?:'[a-z_ ]+ object'|object of type '[A-Za-z_]+')"
_UNDEFINED = re.compile(rf"{_NAME} is undefined|{_OBJECT} has no attribute {_NAME}")
_UNKNOWN = re.compile(rf"No (?:filter|test) named {_NAME}|Could not load {_NAME}")


class Renderer:
    """Renders templates with the variables of a task."""

    def __init__(self, loader: Any, templar: Any, task_vars: dict[str, Any]) -> None:
        """Take the loader and the templar of the action plugin, and the variables of the task."""
        self._loader, self._templar, self._task_vars = loader, templar, task_vars

    def render(self, name: str, path: str) -> str:
        """Return the text that the template at the path makes.

        Raises LagoError `undefined_variable` or `template_failed`, which name the template and no value.
        """
        source = self._source(name, path)
        problem = None
        try:
            return self._template(source, path)
        except Exception as error:  # noqa: BLE001 - whatever it is: its text may hold a value
            problem = _problem(name, error)
        raise problem

    def _source(self, name: str, path: str) -> str:
        """Return the source of a template, which may be vaulted."""
        real = self._loader.get_real_file(path)
        try:
            with open(real, encoding="utf-8") as file:
                return file.read()
        except UnicodeDecodeError:
            raise LagoError(
                f"Template {name} is not UTF-8 text.", "template_failed", details={"template": name}
            ) from None
        finally:
            self._loader.cleanup_tmp_file(real)

    def _template(self, source: str, path: str) -> str:
        folders = [*self._task_vars.get("ansible_search_path", []), self._loader.get_basedir(), os.path.dirname(path)]
        searchpath = [place for folder in folders for place in (os.path.join(folder, "templates"), folder)]
        options = {"searchpath": searchpath, "available_variables": self._task_vars}
        overrides = {"trim_blocks": True, "lstrip_blocks": False}
        if trust_as_template is None:  # pragma: no cover - ansible-core 2.18
            templar = self._templar.copy_with_new_env(environment_class=core.AnsibleEnvironment, **options)
            return str(
                templar.do_template(
                    source, preserve_trailing_newlines=True, escape_backslashes=False, overrides=overrides
                )
            )
        templar = self._templar.copy_with_new_env(**options)
        text = templar.template(trust_as_template(source), escape_backslashes=False, overrides=overrides)
        return "" if text is None else str(text)


def _problem(name: str, error: Exception) -> LagoError:
    """Return what may be told of an error: the template, and the name of a variable that is not defined."""
    chain = list(_chain(error))
    undefined = _said(chain, (UndefinedError, AnsibleUndefinedVariable), _UNDEFINED)
    if undefined:
        message = f"In template {name}: {undefined}. Define it, or give the template a default."
        return LagoError(message, "undefined_variable", details={"template": name})
    unknown = _said(chain, (TemplateSyntaxError,), _UNKNOWN)
    if unknown:
        return LagoError(f"In template {name}: {unknown}.", "template_failed", details={"template": name})
    kind = type(chain[-1]).__name__
    message = f"In template {name}: {kind}. Its text is not shown, since it may hold a secret."
    return LagoError(message, "template_failed", details={"template": name, "type": kind})


def _said(chain: list[BaseException], kinds: tuple[type[Exception], ...], pattern: re.Pattern[str]) -> str | None:
    """Return the first part of what errors of these kinds say that has the form of the pattern."""
    found = (pattern.search(str(error)) for error in chain if isinstance(error, kinds))
    return next((match[0] for match in found if match), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Walk an error and what caused it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
