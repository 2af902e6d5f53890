"""
Changes on Postgres: each shard counts its own lines, so a cursor is a place in each of them.

As text it is `0` for the beginning, else the positions of all shards, packed. A reader who goes on from it misses nothing, whichever shard
commits first: a number for all lines would not do, because numbers are given in another order than commits become visible.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tidegate.core.shards import SHARDS
from tidegate.errors import InvalidValue
from tidegate.ports.changes import ChangeRow, Cursor, Touched, Usage
from tidegate.ports.journal import Key
from tidegate.stores.announcing import Announcer
from tidegate.stores.postgres.connections import PostgresConnections
from tidegate.stores.postgres.ownership import shard_of
from tidegate.stores.rows import Row

LONGEST = 1_000
"""Characters of a cursor; 64 positions of nine bytes take 776."""

MOST = 2**63 - 1

_positions = msgspec.msgpack.Decoder(list[int])


class PostgresChanges(Announcer):
    """`Changes`."""

    def __init__(self, connections: PostgresConnections) -> None:
        super().__init__()
        self._connections = connections
        self._sql = connections.sql
        self._tell_others: Callable[[set[int]], None] = lambda _: None

    def tell_others(self, call: Callable[[set[int]], None]) -> None:
        """Call this with the shards of each commit of this process."""
        self._tell_others = call

    def announce(self, touched: Touched) -> None:
        """Tell the subscribers, here and at other servers."""
        super().announce(touched)
        self._tell_others({shard_of(key) for key in touched})

    def hear(self, touched: Touched) -> None:
        """Tell the subscribers here what another server has changed."""
        super().announce(touched)

    def latest(self) -> Cursor:
        """Return the cursor after the last line."""
        return written(self._last())

    def resume(self, text: str) -> Cursor:
        """Return the cursor that a reader has kept. Errors: `InvalidValue`."""
        kept, last = read(text), self._last()
        return written([min(each, end) for each, end in zip(kept, last, strict=True)])

    def after(self, cursor: Cursor, limit: int, key: Key | None = None) -> list[ChangeRow]:
        """Return the lines of all executions, or of one, after a cursor."""
        name = "changes" if key is None else "changes_of"
        positions = read(cursor)
        bindings = {"positions": positions, "limit": limit, "key": key}
        found = []
        for shard, position, *row in self._connections.rows(self._sql[name], bindings):
            positions[shard] = position
            found.append(ChangeRow(written(positions), *row))
        return found

    def usage(self, cursor: Cursor, limit: int) -> tuple[list[Usage], Cursor]:
        """Return what the lines after a cursor have added, up to a limit of lines, and the cursor after those."""
        positions, last = read(cursor), self._last()
        missing = [max(0, end - begin) for begin, end in zip(positions, last, strict=True)]
        if not any(missing):
            return [], cursor
        # Of each shard about the same part, so that none is read alone at the end.
        part, left, ends = max(1.0, sum(missing) / limit), limit, []
        for begin, count in zip(positions, missing, strict=True):
            read_now = min(count, max(1, int(count / part)), left)
            ends.append(begin + read_now)
            left -= read_now
        bindings = {"positions": positions, "ends": ends}
        rows = self._connections.rows(self._sql["usage"], bindings)
        return [Usage(*row) for row in rows], written(ends)

    def _last(self) -> list[int]:
        rows: Sequence[Row] = self._connections.rows(self._sql["last_positions"], {})
        last: Mapping[int, int] = dict(rows)
        return [last.get(shard, 0) for shard in range(SHARDS)]


def written(positions: Sequence[int]) -> Cursor:
    """Return positions as a cursor."""
    if not any(positions):
        return Cursor("0")
    return Cursor(base64.urlsafe_b64encode(msgspec.msgpack.encode(positions)).decode().rstrip("="))


def read(text: str) -> list[int]:
    """Return the positions that a cursor holds. Errors: `InvalidValue`."""
    if text == "0":
        return [0] * SHARDS
    try:
        if len(text) <= LONGEST and text.isascii():
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            positions = _positions.decode(packed)
            if len(positions) == SHARDS and all(0 <= each <= MOST for each in positions):
                return positions
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        pass
    raise InvalidValue(f"{text[:40]!r} is not a cursor; use the id of the last event received")
