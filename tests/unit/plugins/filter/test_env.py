# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.selfhosted.lago.plugins.filter.env import FilterModule, compose_literal, env_file, env_quote
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import StrictUndefined, UndefinedError

# All that a process environment can hold: any Unicode text without NUL
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NASTY = st.text(st.sampled_from('\\\\\\""\'$${}()abnrtv0123 #=:\n\r\t\v\f\u0085\u00a0`!%@/ü€😀AZ_-+?'))
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)

GO_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


def find_end(text: str, keeps_pairs: bool) -> tuple[str, str]:
    """What stands in double quotes, and the rest: compose-go v1.17 keeps an escaped quote as it is, v2 unescapes it."""
    inside, at = "", 1
    while text[at] != '"':
        if text[at] == "\\" and text[at + 1] == '"' and not keeps_pairs:
            inside, at = inside + '"', at + 2
        elif text[at] == "\\":
            inside, at = inside + text[at : at + 2], at + 2
        else:
            inside, at = inside + text[at], at + 1
    return inside, text[at + 1 :]


def expand_escapes(text: str) -> str:
    def expand(match: re.Match[str]) -> str:
        what = match[1]
        if what == "$":
            return "$$"
        if what[0] == "0":
            return chr(int(what[1:], 8)) if len(what) == 4 else match[0]
        return GO_ESCAPES.get(what, match[0])

    return re.sub(r'\\([abcfnrtv$"\\]|0\d{0,3})', expand, text)


def interpolate(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        assert match[0] == "$$", f"would be interpolated: {match[0]}"
        return "$"

    return re.sub(r"\$(?:\$|[A-Za-z_]\w*|\{[^}]*\}?|)", replace, text)


def compose_reads(text: str, keeps_pairs: bool) -> dict[str, str]:
    """An environment file as Compose understands it."""
    text, found = text.replace("\r\n", "\n"), {}
    while text.lstrip():
        name, quoted = re.split("=", text.lstrip(), maxsplit=1)
        inside, text = find_end(quoted, keeps_pairs)
        found[name] = interpolate(expand_escapes(inside))
    return found


@pytest.mark.parametrize("keeps_pairs", [True, False], ids=["compose-go 1.17", "compose-go 2"])
@given(variables=st.dictionaries(NAMES, TEXTS | NASTY, max_size=4))
def test_any_value_reaches_the_process_unchanged(keeps_pairs: bool, variables: dict[str, str]) -> None:
    text = env_file(variables)
    assert compose_reads(text, keeps_pairs) == variables
    assert len(text.split("\n")) == len(variables) + 1, "one line for each variable"


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("", '""'),
        ("a b # c", '"a b # c"'),
        ("it's", '"it\'s"'),
        ('"$x" \\', '"\\"\\$x\\" \\\\"'),
        ("a\nb\rc\td", '"a\\nb\\rc\td"'),
        (True, '"true"'),
        (False, '"false"'),
        (8080, '"8080"'),
        (0.5, '"0.5"'),
    ],
)
def test_quotes(value: t.Any, quoted: str) -> None:
    assert env_quote(value) == quoted


@pytest.mark.parametrize("value", [["secret"], {"secret": 1}, None, "secret\0", "secret\ud800"])
def test_refuses_what_no_process_can_get_without_telling_it(value: t.Any) -> None:
    with pytest.raises(AnsibleFilterError) as error:
        env_quote(value)
    assert "secret" not in str(error.value)


def test_a_file_is_sorted_and_leaves_out_what_is_not_set() -> None:
    assert env_file({"B": True, "A": "", "C": None}) == 'A=""\nB="true"\n'
    assert env_file({}) == ""


@pytest.mark.parametrize("name", ["", "1A", "A B", "A=B", "Ä", "A\n"])
def test_refuses_names_that_no_shell_knows(name: str) -> None:
    with pytest.raises(AnsibleFilterError, match="is no name"):
        env_file({name: "x"})


def test_names_the_variable_whose_value_cannot_be() -> None:
    with pytest.raises(AnsibleFilterError, match=r"^LAGO_X: "):
        env_file({"LAGO_X": ["secret"]})


def test_wants_a_dictionary() -> None:
    with pytest.raises(AnsibleFilterError, match="dictionary"):
        env_file("A=b")  # type: ignore[arg-type]


def test_an_undefined_variable_is_named() -> None:
    with pytest.raises(UndefinedError, match="'lago_typo' is undefined"):
        env_file({"A": StrictUndefined(name="lago_typo")})


def test_a_vaulted_string_is_read() -> None:
    class Vaulted:
        __ENCRYPTED__ = True

        def __str__(self) -> str:
            return "plain$"

    assert env_file({"A": Vaulted()}) == 'A="plain\\$"\n'


@given(NASTY)
def test_compose_does_not_interpolate_a_literal(value: str) -> None:
    assert interpolate(compose_literal(value)) == value


def test_a_literal_is_walked() -> None:
    assert compose_literal({"a$": ["$b", 1, None, True, ("$",)]}) == {"a$": ["$$b", 1, None, True, ["$$"]]}


def test_filters() -> None:
    assert set(FilterModule().filters()) == {"env_quote", "env_file", "compose_literal"}
