"""
The OpenAPI 3.1 document, generated from the table of routes: it describes exactly what the door does.

Every reply that a route can give is listed: its results, its refusals, and the refusals of the door itself.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, cast

import msgspec
from msgspec import Struct
from msgspec.inspect import DictType, ListType, StructType, UnionType

from tidegate.api.problems import MEDIA, ProblemDocument
from tidegate.api.route import JSON, MAY_BE_EMPTY, Content, Route
from tidegate.errors import (
    BadRequest,
    Forbidden,
    HeadTooLarge,
    InvalidValue,
    Overloaded,
    RateLimited,
    StoreError,
    StoreFull,
    TidegateError,
    TooLarge,
    TooSlow,
    Unauthenticated,
    UnknownRoute,
    WrongHost,
    WrongMediaType,
)
from tidegate.service.access import POLICIES, Where

REF = "#/components/schemas/{name}"

Document = dict[str, Any]

ALWAYS: tuple[type[TidegateError], ...] = (
    BadRequest,
    WrongHost,
    InvalidValue,
    HeadTooLarge,
    TooSlow,
    Overloaded,
)
GUARDED = (Unauthenticated, Forbidden, RateLimited)
WITH_BODY = (TooLarge, WrongMediaType, Forbidden, StoreFull)


def make_document(routes: Iterable[Route], version: str) -> Document:
    """Return the OpenAPI document of these routes."""
    shown = [route for route in routes if not route.outside]
    types: list[Any] = [ProblemDocument]
    for route in shown:
        types += [each for each in route.gives.values() if not isinstance(each, Content)]
        if route.body is not None and not isinstance(route.body, Content):
            types.append(route.body)
    unique = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(unique, ref_template=REF)
    by_type = dict(zip(unique, schemas, strict=True))
    _require_all(components, [route.gives for route in shown])
    paths: Document = {}
    for route in shown:
        path = route.path.replace("...}", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, by_type)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Tidegate",
            "version": version,
            "summary": "Durable workflows that wait: for time, for a value, for an approval.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"token": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in shown)],
    }
    return cast("Document", _ecma(document))


def _ecma(found: Any) -> Any:
    r"""Translate patterns to JSON Schema, where `$` is the end of a text, for which Python has `\Z`."""
    if isinstance(found, dict):
        spelled = {name: _ecma(each) for name, each in found.items()}
        if isinstance(pattern := found.get("pattern"), str):
            spelled["pattern"] = pattern.removesuffix(r"\Z") + "$" * pattern.endswith(r"\Z")
        return spelled
    return [_ecma(each) for each in found] if isinstance(found, list) else found


def _require_all(components: Document, given: Iterable[Mapping[int, Any]]) -> None:
    """Mark every field of a reply as required, except those that may be unset: a default concerns only readers of a request."""
    todo = [each for gives in given for each in gives.values() if not isinstance(each, Content)]
    todo.append(ProblemDocument)
    infos = list(msgspec.inspect.multi_type_info(list(dict.fromkeys(todo))))
    seen: set[type] = set()
    while infos:
        info = infos.pop()
        if isinstance(info, StructType) and info.cls not in seen:
            seen.add(info.cls)
            fields = msgspec.structs.fields(info.cls)
            always = [f.encode_name for f in fields if f.default is not msgspec.UNSET]
            if info.cls is not ProblemDocument:
                components[info.cls.__name__]["required"] = always
            infos += [field.type for field in info.fields]
        elif isinstance(info, UnionType):
            infos += info.types
        elif isinstance(info, ListType):
            infos.append(info.item_type)
        elif isinstance(info, DictType):
            infos.append(info.value_type)


def _operation(route: Route, by_type: dict[Any, Document]) -> Document:
    summary, _, rest = route.doc.partition("\n\n")
    found: Document = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": summary,
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_headers(route)],
        "responses": _responses(route, by_type),
    }
    if rest:
        found["description"] = rest
    if POLICIES[route.action].where is Where.PUBLIC:
        found["security"] = []
    if route.body is not None:
        found["requestBody"] = _body(route, by_type)
    return found


def _path_parameters(route: Route) -> list[Document]:
    many = "Slashes may be sent as they are, or percent-encoded."
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
            **({"description": many} if f"{{{name}...}}" in route.path else {}),
        }
        for name in route.params
    ]


def _query_parameters(route: Route) -> list[Document]:
    if route.query is None:
        return []
    _, components = msgspec.json.schema_components([route.query], ref_template=REF)
    shape = components[route.query.__name__]
    required = shape.get("required", ())
    found = []
    for name, given in shape["properties"].items():
        schema = dict(given) if name in MAY_BE_EMPTY else _never_empty(given)
        parameter: Document = {"name": name, "in": "query", "schema": schema}
        if "description" in schema:
            parameter["description"] = schema.pop("description")
        if name in required:
            parameter["required"] = True
        found.append(parameter)
    return found


def _never_empty(schema: Document) -> Document:
    """Require at least one character, and no default: the door refuses an empty value, so an omitted one is absent."""
    if schema.get("type") == "array":
        return {**schema, "items": _never_empty(schema["items"])}
    if schema.get("type") != "string":
        return schema
    return {"minLength": 1} | {key: value for key, value in schema.items() if value != ""}


def _headers(route: Route) -> list[Document]:
    return [
        {
            "name": header.name,
            "in": "header",
            "description": header.description,
            "schema": {"type": "string", "maxLength": header.longest, **header.schema},
        }
        for header in route.headers
    ]


def _body(route: Route, by_type: dict[Any, Document]) -> Document:
    if isinstance(route.body, Content):
        schema = {"type": "string", "format": "binary"}
        return {
            "required": True,
            "content": {each: {"schema": schema} for each in route.body.media},
        }
    assert route.body is not None
    return {
        "required": _must_be_given(route.body),
        "content": {JSON: {"schema": by_type[route.body]}},
    }


def _must_be_given(body: type[Struct]) -> bool:
    return any(field.required for field in msgspec.structs.fields(body))


def _responses(route: Route, by_type: dict[Any, Document]) -> Document:
    found: Document = {}
    for status, given in sorted(route.gives.items()):
        raw = isinstance(given, Content)
        content: Document = (
            {media: {"schema": {}} for media in given.media}
            if raw
            else {JSON: {"schema": by_type[given]}}
        )
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    for status, errors in _errors(route).items():
        codes = ", ".join(dict.fromkeys(f"`{error.code}`" for error in errors))
        given = found.get(str(status), {"content": {}})["content"]
        found[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}: {codes}",
            "content": {**given, MEDIA: {"schema": by_type[ProblemDocument]}},
        }
    return found


def _errors(route: Route) -> dict[int, list[type[TidegateError]]]:
    listed: list[type[TidegateError]] = [*route.refuses, *ALWAYS, StoreError]
    if POLICIES[route.action].where is not Where.PUBLIC:
        listed += GUARDED
    if route.params:
        listed.append(UnknownRoute)
    if route.method != "GET":
        listed += WITH_BODY
    found: dict[int, list[type[TidegateError]]] = {}
    for error in listed:
        found.setdefault(error.status, []).append(error)
    return dict(sorted(found.items()))
