"""How `/openapi.json` describes the API: an OpenAPI 3.1 document, made from the table of its operations."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from plugins.logs.site.schemas import Refusal
from pynfo import __version__

REFUSALS = {
    400: "What was asked makes no sense; `error` says why.",
    404: "There is no such thing, or it is not open to whoever asks.",
    503: "There is too much to do now: ask again after `Retry-After` seconds.",
}

Document = dict[str, Any]


class Parameter(msgspec.Struct, frozen=True):
    """Something that may be asked for, `in` the path or the query."""

    name: str
    where: str
    description: str
    schema: Document
    required: bool = False


class Operation(msgspec.Struct, frozen=True):
    path: str  # without "/api"
    handler: Callable[[Request], Awaitable[Response]]
    summary: str
    answer: type[msgspec.Struct]
    parameters: tuple[Parameter, ...] = ()


def describe(operations: Sequence[Operation], *, title: str, server: str) -> Document:
    """The document of a site at the address `server`."""
    types = [*{operation.answer for operation in operations}, Refusal]
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "description": "Channel logs. What is not open to everybody wants the `key` of the link that the "
            "bot gives to people in the channel, or the cookie that it becomes.",
        },
        "servers": [{"url": server}],
        "paths": {f"/api{operation.path}": {"get": _operation(operation)} for operation in operations},
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _operation(operation: Operation) -> Document:
    words = re.findall(r"[a-z]+", operation.path)
    return {
        "operationId": "".join([words[0], *(word.capitalize() for word in words[1:])]),
        "summary": operation.summary,
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": {
            "200": _response("What was asked for.", operation.answer),
            "304": {"description": "It has not changed since the `ETag` in `If-None-Match`."},
            **{str(status): _response(text, Refusal) for status, text in REFUSALS.items()},
        },
    }


def _parameter(parameter: Parameter) -> Document:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "required": parameter.required or parameter.where == "path",
        "schema": parameter.schema,
    }


def _response(text: str, answer: type[msgspec.Struct]) -> Document:
    schema = {"$ref": f"#/components/schemas/{answer.__name__}"}
    return {"description": text, "content": {"application/json": {"schema": schema}}}
