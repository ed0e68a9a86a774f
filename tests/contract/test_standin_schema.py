# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's GraphQL schema is a part of the real one: nothing is there that Lago does not have."""

from __future__ import annotations

from pathlib import Path

from graphql import EnumTypeDefinitionNode, Node, UnionTypeDefinitionNode, parse, print_ast

HERE = Path(__file__).resolve().parent
OWN = HERE.parent / "testbed" / "standins" / "api" / "schema.graphql"
REAL = HERE / "schema-v1.51.0.graphql"


def signatures(path: Path) -> dict[str, str]:
    """`Type.field` -> its arguments and type, `Type` -> its kind; of enumerations and unions the members too."""
    found = {}
    for node in parse(path.read_text()).definitions:
        name = node.name.value  # type: ignore[attr-defined]
        found[name] = node.kind
        if isinstance(node, (EnumTypeDefinitionNode, UnionTypeDefinitionNode)):
            members = node.values if isinstance(node, EnumTypeDefinitionNode) else node.types
            found[name] += " " + " ".join(sorted(print_ast(member) for member in members))
            continue
        for field in getattr(node, "fields", ()):
            arguments = sorted(_plain(argument) for argument in getattr(field, "arguments", ()))
            found[f"{name}.{field.name.value}"] = f"({', '.join(arguments)}) {print_ast(field.type)}"
    return found


def _plain(argument: Node) -> str:
    return f"{argument.name.value}: {print_ast(argument.type)}"  # type: ignore[attr-defined]


def test_every_part_is_the_real_ones() -> None:
    own, real = signatures(OWN), signatures(REAL)
    assert {name: (text, real.get(name)) for name, text in own.items() if real.get(name) != text} == {}


def test_what_must_be_sent_is_known() -> None:
    """An input type lacks none of the real one's fields: what a client may send is taken."""
    own, real = signatures(OWN), signatures(REAL)
    inputs = {name for name, kind in own.items() if kind == "input_object_type_definition"}
    assert {name for name in real if name.partition(".")[0] in inputs} - own.keys() == set()
