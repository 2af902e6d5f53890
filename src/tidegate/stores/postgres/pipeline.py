"""
Statements that are sent together: one journey to the server and back, whatever their number.

psycopg's own pipeline sends each of them for itself, and looks at the socket several times for each, which was most of what a small commit cost.
This one speaks to libpq as psycopg offers it (`psycopg.pq`), with psycopg's conversions.
"""

import re
import select
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Dumper, Transformer
from psycopg.types.array import ListBinaryDumper

from tidegate.stores import statements
from tidegate.stores.postgres.dialect import DATABASE, PARAMETER
from tidegate.stores.rows import Row

_KIND = re.compile(r"\$(\d+)::(\w+)(\[\])?")


class Native(NamedTuple):
    """A statement as the server takes it: the names of its parameters, and of what kind each is, and whether a list of these."""

    text: str
    names: tuple[str, ...] = ()
    kinds: tuple[tuple[str, bool], ...] = ()


class Command(NamedTuple):
    """A statement of ours, by name, with its parameters in their order."""

    name: str
    parameters: Sequence[Any] = ()


BEGIN: Final = Command("begin")
NUMBER: Final = Command("transaction")
PLAIN: Final = {
    "begin": Native("BEGIN"),
    "transaction": Native(
        "SELECT pg_current_xact_id_if_assigned()::text, pg_postmaster_start_time()::text"
    ),
}
"""Begins a transaction; tells its number, and since when the server runs that has given it."""


@cache
def native(name: str) -> Native:
    """Return a statement, which must say of each of its parameters what it is (`:shards::smallint[]`)."""
    if name in PLAIN:
        return PLAIN[name]
    text = statements.own(DATABASE)[name]
    wanted = [(int(number or 0), word or f"p{number}") for number, word in PARAMETER.findall(text)]
    # Those with a number are in that order, those with a name in which they appear.
    names = [each for _, each in sorted(dict.fromkeys(wanted), key=lambda pair: pair[0])]
    text = PARAMETER.sub(lambda found: f"${names.index(found[2] or f'p{found[1]}') + 1}", text)
    kinds = {int(at): (kind, bool(many)) for at, kind, many in _KIND.findall(text)}
    return Native(text, tuple(names), tuple(kinds[n + 1] for n in range(len(names))))


class Pipeline:
    """The statements of one connection that were prepared to be sent together."""

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        self._raw = raw
        # psycopg lets the server forget all that is prepared, ours too, after a ROLLBACK, if it has prepared something itself.
        raw.prepare_threshold = None
        self._libpq = raw.pgconn
        self._change = Transformer(raw)
        self._dumpers: dict[tuple[str, bool], tuple[int, Dumper]] = {}
        self._prepared: set[str] = set()
        self._socket = select.poll()
        self._socket.register(self._libpq.socket)

    def run(self, commands: Sequence[Command]) -> list[list[Row]]:
        """Run statements one after another, none after one that fails; return the rows of each. Errors: those of psycopg."""
        # What cannot be sent is found before anything is.
        values = [self._dumped(native(command.name), command.parameters) for command in commands]
        self._libpq.enter_pipeline_mode()
        prepares: list[str | None] = []
        for command, (oids, sent) in zip(commands, values, strict=True):
            if command.name not in self._prepared and command.name not in prepares:
                text = native(command.name).text.encode()
                self._libpq.send_prepare(_known_as(command.name), text, oids)
                prepares.append(command.name)
            self._libpq.send_query_prepared(
                _known_as(command.name), sent, [pq.Format.BINARY] * len(sent), pq.Format.BINARY
            )
            prepares.append(None)
        self._libpq.pipeline_sync()
        results = self._received()
        self._libpq.exit_pipeline_mode()
        return self._rows(results, prepares)

    def _rows(self, results: list[Any], prepares: list[str | None]) -> list[list[Row]]:
        rows: list[list[Row]] = []
        for result, prepared in zip(results, prepares, strict=True):
            if result.status in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED):
                raise errors.error_from_result(result, encoding=self._raw.info.encoding)
            if prepared is not None:
                self._prepared.add(prepared)
            else:
                self._change.set_pgresult(result)
                rows.append(self._change.load_rows(0, result.ntuples, tuple))
        return rows

    def _received(self) -> list[Any]:
        """Send what is to be sent, and return a result for each."""
        results: list[Any] = []
        unsent = self._libpq.flush()
        while True:
            while unsent or self._libpq.is_busy():
                self._wait(select.POLLIN | (select.POLLOUT if unsent else 0))
                self._libpq.consume_input()
                unsent = unsent and self._libpq.flush()
            result = self._libpq.get_result()
            if result is None:
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)

    def _wait(self, events: int) -> None:
        self._socket.modify(self._libpq.socket, events)
        self._socket.poll()

    def _dumped(self, wanted: Native, parameters: Sequence[Any]) -> tuple[list[int], list[Any]]:
        """Return parameters in binary form, and what the server commands their kinds."""
        dumpers = [self._dumper(kind) for kind in wanted.kinds]
        values = [
            None if value is None else dumper.dump(value)
            for (_, dumper), value in zip(dumpers, parameters, strict=True)
        ]
        return [oid for oid, _ in dumpers], values

    def _dumper(self, wanted: tuple[str, bool]) -> tuple[int, Dumper]:
        found = self._dumpers.get(wanted)
        if found is None:
            kind, many = wanted
            info = self._raw.adapters.types[kind]
            maker = self._raw.adapters.get_dumper_by_oid(info.oid, pq.Format.BINARY)
            one: Any = maker(object, self._change)
            oid = info.oid
            if many:
                oid, of = info.array_oid, one
                one = ListBinaryDumper(list, self._change)
                one.sub_dumper = of
            found = self._dumpers[wanted] = oid, one
        return found


def _known_as(name: str) -> bytes:
    return f"tidegate_{name}".encode()


def bindings(command: Command) -> Mapping[str, Any]:
    """Return the parameters of a statement by name."""
    return dict(zip(native(command.name).names, command.parameters, strict=True))
