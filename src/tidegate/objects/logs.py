"""
What tasks print and publish, in an object store: what any process of the store reads, wherever the attempt runs.

While an attempt runs, its output is there in pieces, `logs/EXECUTION/NODE/ATTEMPT.live/START`: each is extended up to `PIECE` bytes, and then the
next one begins. When it ends, `logs/EXECUTION/NODE/ATTEMPT.log` replaces them. The names are spelled as those of files are (`tidegate.logs`).

Rule 1: what runs on this machine is read from its file, as it is; so is a log that has not been stored yet.
Rule 2: positions in an output are the same in its file, in its pieces and in its log: so a reader may change from one server to another.
"""

import hashlib
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.errors import ObjectsAway
from tidegate.logs import (
    MAX_LOG,
    PIECE,
    PIECES,
    AttemptText,
    Logs,
    Seen,
    in_order,
    quote,
    standing,
    unquote,
    whole_lines_of,
)
from tidegate.objects.bucket import Bucket, ObjectEntry

RECENT: Final = 5_000_000_000
"""Nanoseconds: as in `tidegate.logs`, for a store that tells times by the second, and takes some to show what was written."""

LIST_FOR: Final = 1.0
"""Seconds for which it is known which decks an execution has published."""

LISTED: Final = 1_000


class _Output(NamedTuple):
    """The output of one attempt: its log, or its pieces in order; or its file on this machine."""

    node: str
    attempt: int
    log: ObjectEntry | None
    pieces: tuple[ObjectEntry, ...] = ()
    file: Path | None = None

    @property
    def is_live(self) -> bool:
        return self.log is None and (self.file is None or self.file.suffix == ".live")

    @property
    def size(self) -> int:
        if self.file is not None:
            with suppress(OSError):
                return self.file.stat().st_size
            return 0
        if self.log is not None:
            return self.log.size
        return max((start_of(each) + each.size for each in self.pieces), default=0)


class ObjectLogs:
    """An adapter of the port `AttemptLogs`. `local` has the files of what runs here, `follow` and `settle` store them."""

    are_everywhere = True

    def __init__(self, bucket: Bucket, local: Logs) -> None:
        self._bucket = bucket
        self._local = local
        self._decks: dict[str, tuple[float, frozenset[str]]] = {}
        self._lock = threading.Lock()

    def read(self, execution: str, node: str | None = None) -> list[AttemptText]:
        """Return the output of the attempts of an execution, or of one node of it, by node and attempt."""
        found = []
        for each in self._outputs(execution, node):
            body = self._bytes(each, max(0, each.size - 2 * MAX_LOG), each.size)
            text = body.decode(errors="replace")
            found.append(AttemptText(each.node, each.attempt, text, each.is_live))
        return sorted(found, key=in_order)

    def news(self, execution: str, node: str | None, seen: Seen) -> tuple[list[AttemptText], Seen]:
        """Return what was printed since a reader's position, and the new position."""
        found: list[AttemptText] = []
        bytes_: dict[str, int] = {}
        done: dict[str, int] = {}
        latest, room = 0, PIECES
        for each in self._outputs(execution, node):
            whose = f"{each.node} {each.attempt}"
            written = 0 if each.log is None else nanoseconds(each.log.written)
            if each.log is not None and written <= seen.until and whose not in seen.bytes:
                continue
            begin, size = seen.bytes.get(whose, 0), each.size
            body = self._bytes(each, begin, min(size, begin + min(PIECE, room)))
            if each.is_live or begin + len(body) < size:
                body = whole_lines_of(body)
            room -= len(body)
            bytes_[whose] = max(begin + len(body), min(begin, size))
            if each.log is not None and bytes_[whose] >= size:
                done[whose] = written
                latest = max(latest, written)
            if body:
                text = body.decode(errors="replace")
                found.append(AttemptText(each.node, each.attempt, text, each.is_live))
        until = max(seen.until, latest - RECENT)
        return sorted(found, key=in_order), standing(until, bytes_, done)

    def end(self, execution: str, node: str | None) -> Seen:
        """Return the position of a reader who has read everything printed until now."""
        bytes_, done = {}, {}
        for each in self._outputs(execution, node):
            bytes_[f"{each.node} {each.attempt}"] = each.size
            if each.log is not None:
                done[f"{each.node} {each.attempt}"] = nanoseconds(each.log.written)
        return standing(max(done.values(), default=RECENT) - RECENT, bytes_, done)

    def _outputs(self, execution: str, node: str | None) -> Iterator[_Output]:
        """Yield the output of each attempt, or of those of one node."""
        top = f"logs/{quote(execution)}"
        within = top if node is None else "/".join([top, *map(quote, node.split("/"))])
        # Before the store is asked: a file goes away once its log is there.
        files = {(name, number): path for name, number, path in self._local.files(execution, node)}
        logs: dict[tuple[str, int], ObjectEntry] = {}
        pieces: dict[tuple[str, int], list[ObjectEntry]] = {}
        for each in self._bucket.list(f"{within}/"):
            whose, is_log = _whose(each.name)
            if node is None or whose[0] == node:
                if is_log:
                    logs[whose] = each
                else:
                    pieces.setdefault(whose, []).append(each)
        for whose in logs.keys() | pieces.keys() | files.keys():
            of = sorted(pieces.get(whose, ()), key=start_of)
            file = None if whose in logs else files.get(whose)
            yield _Output(*whose, logs.get(whose), tuple(of), file)

    def _bytes(self, output: _Output, begin: int, end: int) -> bytes:
        """Return a part of an output; less if it was replaced meanwhile: the next read finds what is there."""
        if begin >= end:
            return b""
        with suppress(FileNotFoundError):
            if output.file is not None:
                with output.file.open("rb") as file:
                    file.seek(begin)
                    return file.read(end - begin)
            if output.log is not None:
                return b"".join(self._bucket.read(output.log.name, begin, end))
            return self._joined(output.pieces, begin, end)
        return b""

    def _joined(self, pieces: tuple[ObjectEntry, ...], begin: int, end: int) -> bytes:
        found = bytearray()
        for each in pieces:
            start = start_of(each)
            at = begin + len(found)
            if start <= at < start + each.size and at < end:
                found += b"".join(self._bucket.read(each.name, at - start, end - start))
        return bytes(found)

    # ---- what is written: in files, which `following` stores ----

    def take_in(
        self, execution: str, node: str, attempt: int, body: bytes, start: int, *, whole: bool
    ) -> None:
        """Keep what an attempt elsewhere has printed."""
        self._local.take_in(execution, node, attempt, body, start, whole=whole)

    def publish_deck(self, execution: str, node: str, attempt: int, page: bytes) -> None:
        """Keep the decks of a running attempt. Errors: `OSError`."""
        self._local.publish_deck(execution, node, attempt, page)

    def read_published(self, execution: str, node: str, attempt: int) -> bytes | None:
        """Return the decks that an attempt has published; None if there are none. Errors: `ObjectsAway`."""
        here = self._local.read_published(execution, node, attempt)
        if here is not None:
            return here
        with suppress(FileNotFoundError):
            return b"".join(self._bucket.read(deck_name(execution, node, attempt)))
        return None

    def has_published(self, execution: str, node: str, attempt: int) -> bool:
        """Whether an attempt has published decks; of those elsewhere this is known for a second, and not while the object store is away."""
        if self._local.has_published(execution, node, attempt):
            return True
        with self._lock:
            until, names = self._decks.get(execution, (0.0, frozenset[str]()))
        if time.monotonic() > until:
            folder = deck_name(execution, node, attempt).rpartition("/")[0]
            try:
                names = frozenset(each.name for each in self._bucket.list(f"{folder}/"))
            except ObjectsAway:
                return False
            with self._lock:
                if len(self._decks) > LISTED:
                    self._decks.clear()
                self._decks[execution] = time.monotonic() + LIST_FOR, names
        return deck_name(execution, node, attempt) in names

    def remove_published(self, execution: str, node: str, attempt: int) -> None:
        """Remove what an attempt has published here. Errors: `OSError`."""
        self._local.remove_published(execution, node, attempt)

    def read_deck(self, execution: str, node: str, attempt: int = 0) -> tuple[int, str] | None:
        """Return the decks that an earlier version kept on this machine."""
        return self._local.read_deck(execution, node, attempt)

    def nodes_with_decks(self, execution: str, among: Collection[str]) -> frozenset[str]:
        """Return which of these nodes have decks that an earlier version kept on this machine."""
        return self._local.nodes_with_decks(execution, among)


def log_name(execution: str, node: str, attempt: int) -> str:
    """Return the name of the object with the log of an attempt that has ended."""
    parts = [quote(execution), *map(quote, node.split("/"))]
    return f"logs/{'/'.join(parts)}/{attempt}.log"


def piece_name(execution: str, node: str, attempt: int, start: int) -> str:
    """Return the name of the piece of a running attempt's output that begins there."""
    return f"{log_name(execution, node, attempt).removesuffix('.log')}.live/{start:012d}"


def deck_name(execution: str, node: str, attempt: int) -> str:
    """Return the name of the object with the decks that an attempt has published."""
    whose = hashlib.sha256(f"{execution}/{node}".encode()).hexdigest()
    return f"decks/{hashlib.sha256(execution.encode()).hexdigest()}/{whose}-{attempt}.html"


def start_of(piece: ObjectEntry) -> int:
    """Return where in its output a piece begins."""
    last = piece.name.rpartition("/")[2]
    return int(last) if last.isdecimal() else 0


def nanoseconds(when: datetime) -> int:
    """Return an instant in nanoseconds since 1970."""
    return int(when.timestamp() * 1_000_000) * 1_000


def _whose(name: str) -> tuple[tuple[str, int], bool]:
    """Return the node and the attempt that an object is about, and whether it is a log."""
    parts = name.split("/")
    is_log = parts[-1].endswith(".log")
    inner = parts[2:] if is_log else parts[2:-1]
    number = inner[-1].rpartition(".")[0] if inner else ""
    node = "/".join(map(unquote, inner[:-1]))
    return (node, int(number) if number.isdecimal() else 0), is_log
