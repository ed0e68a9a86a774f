# SPDX-License-Identifier: GPL-3.0-or-later
"""What graphql-ruby says about a query that cannot be executed, in its words and its shape."""

from __future__ import annotations

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_location,
    is_leaf_type,
    specified_rules,
    type_from_ast,
    validate,
    visit,
)
from graphql.validation import FieldsOnCorrectTypeRule

Problem = dict[str, Any]


def alone(message: str, status: int, code: str) -> dict[str, Any]:
    """The answer to a request that is refused before its query is looked at."""
    return {"data": {}, "errors": [{"message": message, "extensions": {"status": status, "code": code}}]}


def syntax(error: GraphQLSyntaxError, query: str) -> Problem:
    position = min(error.positions or [0])
    at_end = position >= len(query.rstrip())
    place = len(query.rstrip()) - 1 if at_end else position
    line, column = query.count("\n", 0, place) + 1, place - query.rfind("\n", 0, place)
    actual = (
        '(none) ("")'
        if at_end
        else f'{error.message.rsplit(" ", 1)[-1].strip(".")} ("{query[position : position + 1]}")'
    )
    text = f"Expected NAME, actual: {actual} at [{line}, {column}]"
    return {"message": text, "locations": [{"line": line, "column": column}]}


class _UndefinedFields(Visitor):
    """Collects the fields that the schema does not have."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.found: list[Problem] = []

    def enter_field(self, node: FieldNode, _key: Any, _parent: Any, _path: Any, ancestors: list[Any]) -> None:
        parent = self.info.get_parent_type()
        if parent is None or self.info.get_field_def() is not None:
            return
        name = node.name.value
        place = get_location(node.loc.source, node.loc.start)  # type: ignore[union-attr]
        self.found.append(
            {
                "message": f"Field '{name}' doesn't exist on type '{parent.name}'",
                "locations": [{"line": place.line, "column": place.column}],
                "path": [*_path_of(ancestors), name],
                "extensions": {"code": "undefinedField", "typeName": parent.name, "fieldName": name},
            }
        )


def _path_of(ancestors: list[Any]) -> list[str]:
    path = []
    for node in ancestors:
        if isinstance(node, OperationDefinitionNode):
            path.append(f"{node.operation.value} {node.name.value}" if node.name else node.operation.value)
        elif isinstance(node, FieldNode):
            path.append(node.name.value)
        elif isinstance(node, InlineFragmentNode) and node.type_condition:
            path.append(f"... on {node.type_condition.name.value}")
        elif isinstance(node, FragmentDefinitionNode):
            path.append(f"fragment {node.name.value}")
    return path


def invalid_query(schema: GraphQLSchema, document: DocumentNode) -> list[Problem]:
    info = TypeInfo(schema)
    fields = _UndefinedFields(info)
    visit(document, TypeInfoVisitor(info, fields))
    rules = [rule for rule in specified_rules if rule is not FieldsOnCorrectTypeRule]
    return fields.found + [dict(error.formatted) for error in validate(schema, document, rules)]


def _problems(value: Any, kind: Any, path: list[Any]) -> list[dict[str, Any]]:  # noqa: PLR0911 - by kind of type
    if isinstance(kind, GraphQLNonNull):
        if value is None:
            return [{"path": path, "explanation": "Expected value to not be null"}]
        return _problems(value, kind.of_type, path)
    if value is None:
        return []
    if isinstance(kind, GraphQLList):
        values = value if isinstance(value, list) else [value]
        return [found for index, item in enumerate(values) for found in _problems(item, kind.of_type, [*path, index])]
    if isinstance(kind, GraphQLInputObjectType):
        if not isinstance(value, dict):
            return [{"path": path, "explanation": f'Expected "{value}" to be a key-value object.'}]
        unknown = [name for name in value if name not in kind.fields]
        found = [{"path": [*path, name], "explanation": f"Field is not defined on {kind.name}"} for name in unknown]
        return found + [
            problem
            for name, field in kind.fields.items()
            for problem in _problems(value.get(name), field.type, [*path, name])
        ]
    if is_leaf_type(kind):
        try:
            kind.parse_value(value)
        except Exception:  # noqa: BLE001 - each scalar has its own
            return [{"path": path, "explanation": f"Could not coerce value {value!r} to {kind.name}"}]
    return []


def invalid_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: dict[str, Any]
) -> list[Problem]:
    errors = []
    for definition in operation.variable_definitions:
        name = definition.variable.name.value
        kind = type_from_ast(schema, definition.type)
        if kind is None or (definition.default_value is not None and name not in given):
            continue
        value = given.get(name)
        problems = _problems(value, kind, [])
        if not problems:
            continue
        place = get_location(definition.loc.source, definition.loc.start)  # type: ignore[union-attr]
        parts = [f"{'.'.join(str(step) for step in found['path'])} ({found['explanation']})" for found in problems]
        for_what = f" for {', '.join(parts)}" if any(found["path"] for found in problems) else ""
        text = f"Variable ${name} of type {kind} was provided invalid value{for_what}"
        found = {"message": text, "locations": [{"line": place.line, "column": place.column}]}
        errors.append({**found, "extensions": {"value": value, "problems": problems}})
    return errors
