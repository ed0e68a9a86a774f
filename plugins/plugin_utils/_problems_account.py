# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the administrator, the organization and its key. PRIVATE to the collection.

They are what Lago's own page would not let a person type, although the API takes it.
"""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.selfhosted.lago.plugins.module_utils._organization import weaknesses
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import shown

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*\Z")
_LONGEST_NAME = 255
#: bcrypt looks at no more, so Rails refuses longer ones.
_LONGEST_PASSWORD = 72


@rule("account")
def not_an_email(case: Case) -> Found:
    email = case.text("lago_admin_email")
    if email and not _EMAIL.match(email.strip()):
        yield (
            "lago_admin_email",
            "lago_admin_email is no e-mail address; Lago would accept it and never reach anybody: write "
            "name@example.com.",
        )


@rule("account")
def email_with_blanks(case: Case) -> Found:
    email = case.text("lago_admin_email")
    if email != email.strip() and _EMAIL.match(email.strip()):
        yield (
            "lago_admin_email",
            "lago_admin_email has blanks around it, and Lago would take them for a part: remove them.",
        )


@rule("account")
def weak_password(case: Case) -> Found:
    password = case.text("lago_admin_password")
    if password and not password.startswith("$ANSIBLE_VAULT;") and weaknesses(password):
        yield (
            "lago_admin_password",
            "lago_admin_password is weaker than Lago's own page demands: use at least 8 characters with a lower-case "
            "letter, an upper-case letter, a digit and a special character, which to it are "
            '/ _ ! @ # $ % ^ & * ( ) , . ? " : { } | < > and -.',
        )


@rule("account")
def long_password(case: Case) -> Found:
    password = case.text("lago_admin_password")
    if len(password.encode("utf-8", "surrogatepass")) > _LONGEST_PASSWORD and not password.startswith(
        "$ANSIBLE_VAULT;"
    ):
        yield (
            "lago_admin_password",
            f"lago_admin_password is longer than the {_LONGEST_PASSWORD} bytes that Lago can tell apart: shorten it.",
        )


@rule("account")
def untypable_password(case: Case) -> Found:
    password = case.text("lago_admin_password")
    if not password.startswith("$ANSIBLE_VAULT;") and any(ord(c) < 32 or ord(c) == 127 for c in password):
        yield (
            "lago_admin_password",
            "lago_admin_password holds a line end or another control character, which nobody can type on Lago's "
            "page: remove it (a file or a vault entry often ends with one).",
        )


@rule("account")
def untidy_organization(case: Case) -> Found:
    name = case.text("lago_organization_name")
    if name and (name != name.strip() or any(ord(c) < 32 or ord(c) == 127 for c in name)):
        yield (
            "lago_organization_name",
            f"lago_organization_name {shown(name)} has blanks around it or control characters within: remove them.",
        )


@rule("account")
def long_organization(case: Case) -> Found:
    name = case.text("lago_organization_name")
    if len(name) > _LONGEST_NAME:
        yield (
            "lago_organization_name",
            f"lago_organization_name has {len(name)} characters: use {_LONGEST_NAME} at most, it stands on every "
            "invoice.",
        )


@rule("account")
def key_file_not_absolute(case: Case) -> Found:
    path = case.text("lago_api_key_file")
    if path and not Path(path).expanduser().is_absolute():
        yield (
            "lago_api_key_file",
            f"lago_api_key_file {shown(path)} is relative, to whatever folder Ansible happens to work in: write it in "
            "full, for instance with playbook_dir in front.",
        )


@rule("account")
def key_file_without_folder(case: Case) -> Found:
    path = Path(case.text("lago_api_key_file") or "/").expanduser()
    if path.is_absolute() and not path.parent.is_dir():
        yield (
            "lago_api_key_file",
            f"lago_api_key_file: there is no folder {shown(path.parent)} on the controller: make it, or name another.",
        )


@rule("account")
def key_file_is_a_folder(case: Case) -> Found:
    text = case.text("lago_api_key_file")
    if text and Path(text).expanduser().is_absolute() and Path(text).expanduser().is_dir():
        yield "lago_api_key_file", f"lago_api_key_file {shown(text)} is a folder: name a file in it."
