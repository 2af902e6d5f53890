"""Rows of large values over HTTP: a page of them, and the profiles of columns."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from tidegate.api.backend import Backend
from tidegate.api.carry import HungUp, gone
from tidegate.api.route import Call, Reply, Route
from tidegate.errors import (
    AmbiguousNode,
    Fault,
    InvalidValue,
    NotATable,
    RateLimited,
    TablesMissing,
    TableTooLarge,
    UnknownBlob,
    UnknownExecution,
    UnknownNode,
)
from tidegate.ir.expr import Value
from tidegate.ports.tables import TableAsk
from tidegate.service.access import Action
from tidegate.service.tables import source_of, value_at
from tidegate.types.values import BLOB
from tidegate.wire import GetNode, NodeView, read
from tidegate.wire.constraints import SAYS
from tidegate.wire.tables import ProfileView, RowsView

At = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2_000,
        description="Which value: a JSON pointer, as /inputs/value, /inputs/show.report or /outputs/o0.",
        extra={SAYS: "must be a JSON pointer of 1 to 2,000 characters"},
    ),
]
FileName = Annotated[
    str,
    Meta(
        max_length=255,
        description="The name of the file; its ending tells how text is separated: .csv or .tsv.",
        extra={SAYS: "must have at most 255 characters"},
    ),
]
Columns = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{1,6}(-[0-9]{1,6})?(,[0-9]{1,6}(-[0-9]{1,6})?)*)?\Z",
        max_length=4_000,
        description="Which columns, by position: 0-39,57. All, if it is absent.",
        extra={SAYS: "must be positions and ranges of them, as in 0-39,57"},
    ),
]


class Selection(Struct, frozen=True, kw_only=True):
    """Which rows, and which of their columns."""

    offset: Annotated[int, Meta(ge=0, le=2**40, description="How many rows to skip.")] = 0
    limit: Annotated[int, Meta(ge=1, le=1000, description="The most rows to return.")] = 200
    sort: Annotated[
        list[str],
        Meta(max_length=3, description="Columns to sort by; `-` in front: the largest first."),
    ] = []
    filter: Annotated[
        str,
        Meta(
            max_length=4_000,
            description='Conditions that a row must meet, as JSON: [{"column": "amount", "op": "ge", "value": 50000}].'
            " Operators: eq, ne, lt, le, gt, ge, contains, missing, present.",
        ),
    ] = ""
    q: Annotated[str, Meta(max_length=200, description="Text to find in any column.")] = ""
    columns: Columns = ""
    cell: Annotated[
        int, Meta(ge=1, le=1_000_000, description="The most characters of one cell.")
    ] = 1000


class RowsQuery(Selection, frozen=True, kw_only=True):
    """Which rows of which value."""

    at: At


class FileRowsQuery(Selection, frozen=True, kw_only=True):
    """Which rows of a file."""

    name: FileName = ""


class ProfileQuery(Struct, frozen=True, kw_only=True):
    """Which columns of which value."""

    at: At
    columns: Columns = ""


class FileProfileQuery(Struct, frozen=True, kw_only=True):
    """Which columns of a file."""

    name: FileName = ""
    columns: Columns = ""


class _Condition(Struct, frozen=True, forbid_unknown_fields=True):
    column: str
    op: str
    value: str | int | float | bool | None = None


_CONDITIONS = Annotated[list[_Condition], Meta(max_length=20)]


async def get_rows(backend: Backend, call: Call) -> Reply:
    """
    Return a page of the rows of a value of a node: sorted, filtered and searched over all rows.

    A list of objects or of lists, an object of lists, or a file: text with separators, Parquet, Arrow, or a NumPy array; up to 1 GiB.
    """
    return await _at(backend, call, _rows(call.query))


async def get_profile(backend: Backend, call: Call) -> Reply:
    """Return the profiles of the columns of a value of a node, over all rows: what is missing, how many distinct values there are, and how they are distributed."""
    return await _at(backend, call, TableAsk("profile", {"columns": call.query.columns}))


async def get_file_rows(backend: Backend, call: Call) -> Reply:
    """Return a page of the rows of a file, by its digest: text with separators, Parquet, Arrow, or a NumPy array."""
    return await _of_file(backend, call, _rows(call.query))


async def get_file_profile(backend: Backend, call: Call) -> Reply:
    """Return the profiles of the columns of a file, over all rows."""
    return await _of_file(backend, call, TableAsk("profile", {"columns": call.query.columns}))


def _rows(query: Selection) -> TableAsk:
    given = {each: getattr(query, each) for each in Selection.__struct_fields__}
    given["filter"] = [msgspec.structs.asdict(each) for each in _conditions(query.filter)]
    return TableAsk("rows", given)


def _conditions(text: str) -> list[_Condition]:
    if not text:
        return []
    try:
        found: list[_Condition] = msgspec.json.decode(text, type=_CONDITIONS)
    except msgspec.DecodeError:
        why = 'must be a JSON list of at most 20 {"column", "op", "value"}'
        raise InvalidValue(f"filter {why}", [Fault(("filter",), why)]) from None
    return found


async def _at(backend: Backend, call: Call, ask: TableAsk) -> Reply:
    view: NodeView = await backend.ask(call, read(GetNode, dict(call.path)))
    return await _asked(backend, call, ask, lambda: value_at(view, call.query.at))


async def _of_file(backend: Backend, call: Call, ask: TableAsk) -> Reply:
    file = {BLOB: call.path["digest"], "name": call.query.name}
    return await _asked(backend, call, ask, lambda: file)


async def _asked(backend: Backend, call: Call, ask: TableAsk, value: Callable[[], Value]) -> Reply:
    def begin() -> Any:
        source = source_of(value(), backend.service.blobs)
        return source.key, backend.service.tables.ask(source, ask, call.principal.name)

    digest, future = await asyncio.to_thread(begin)
    found = asyncio.wrap_future(future)
    leaving = asyncio.ensure_future(gone(call.receive))
    try:
        await asyncio.wait({found, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not found.done():
            raise HungUp
        body: bytes = found.result()
    finally:
        # One that is not wanted any longer is withdrawn, unless it is being read.
        found.cancel()
        leaving.cancel()
    return Reply(body[:-1] + b',"digest":"%b"}' % digest.encode())


TAG = "tables"
NODE = "/api/v1/executions/{id}/nodes/{node...}"
REFUSES = (
    UnknownExecution,
    UnknownNode,
    AmbiguousNode,
    UnknownBlob,
    InvalidValue,
    NotATable,
    TableTooLarge,
    RateLimited,
    TablesMissing,
)

ROUTES = (
    Route(
        method="GET",
        path=f"{NODE}/rows",
        action=Action.GET_NODE,
        handler=get_rows,
        query=RowsQuery,
        gives={200: RowsView},
        refuses=REFUSES,
        tag=TAG,
    ),
    Route(
        method="GET",
        path=f"{NODE}/profile",
        action=Action.GET_NODE,
        handler=get_profile,
        query=ProfileQuery,
        gives={200: ProfileView},
        refuses=REFUSES,
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/blobs/{digest}/rows",
        action=Action.GET_BLOB,
        handler=get_file_rows,
        query=FileRowsQuery,
        gives={200: RowsView},
        refuses=REFUSES[3:],
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/blobs/{digest}/profile",
        action=Action.GET_BLOB,
        handler=get_file_profile,
        query=FileProfileQuery,
        gives={200: ProfileView},
        refuses=REFUSES[3:],
        tag=TAG,
    ),
)
