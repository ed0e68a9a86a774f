# SPDX-License-Identifier: GPL-3.0-or-later
"""`POST /graphql`: over the used part of the real schema, with the real one's refusals."""

from __future__ import annotations

import time
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    ObjectTypeDefinitionNode,
    build_ast_schema,
    execute_sync,
    get_operation_ast,
    parse,
)

from standin import crypto, graphql_errors, resolvers
from standin.accounts import Refused
from standin.failures import RubyError
from standin.http_types import Request, Response
from standin.settings import HOME, RELEASE

LONGEST = 15_000
RENEW_BELOW = 3600


def _schema() -> GraphQLSchema:
    document = parse((HOME / "schema.graphql").read_text())
    unknown = set(RELEASE.without.get("graphql", ()))
    for node in document.definitions:
        if isinstance(node, ObjectTypeDefinitionNode):
            kept = (field for field in node.fields if f"{node.name.value}.{field.name.value}" not in unknown)
            node.fields = tuple(kept)
    return build_ast_schema(document)


SCHEMA = _schema()


def answer(request: Request) -> Response:
    """Errors come with status 200; only what nobody caught is a page of its own.

    :raises RubyError: for that.
    """
    asked = request.json()
    query = asked.get("query") or "" if isinstance(asked, dict) else ""
    if len(query) > LONGEST:
        text = f"Max query length is {LONGEST}, your query is {len(query)}"
        return Response(200, graphql_errors.alone(text, 413, "query_is_too_large"))
    claims = crypto.claims_of(request.bearer) or {}
    headers = {}
    if claims:
        left = int(claims.get("exp", 0)) - time.time()
        if left <= 0:
            return Response(200, graphql_errors.alone("expired_jwt_token", 401, "expired_jwt_token"))
        if left < RENEW_BELOW:
            headers["x-lago-token"] = crypto.token(str(claims.get("sub")))
    viewer = resolvers.Viewer(claims, request.headers.get("x-lago-organization", ""))
    return Response(
        200, _execute(query, asked.get("operationName"), asked.get("variables") or {}, viewer), headers=headers
    )


def _execute(query: str, name: str | None, variables: dict[str, Any], viewer: resolvers.Viewer) -> dict[str, Any]:
    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return {"errors": [graphql_errors.syntax(error, query)]}
    operation = get_operation_ast(document, name)
    if operation is None:
        return {"errors": [{"message": f'No operation named "{name}"'}]}
    problems = graphql_errors.invalid_query(SCHEMA, document)
    problems = problems or graphql_errors.invalid_variables(SCHEMA, operation, variables)
    if problems:
        return {"errors": problems}
    result = execute_sync(
        SCHEMA,
        document,
        context_value=viewer,
        variable_values=variables,
        operation_name=name,
        field_resolver=resolvers.resolve,
    )
    found = {"data": result.data}
    if not result.errors:
        return found
    return {"errors": [_error(error) for error in result.errors], **found}


def _error(error: GraphQLError) -> dict[str, Any]:
    """A refusal as data; anything else is raised again."""
    origin = error.original_error
    if isinstance(origin, Refused):
        return {**error.formatted, "message": origin.message, "extensions": origin.extensions}
    if origin is not None:
        raise origin
    raise RubyError("GraphQL::ExecutionError", error.message)
