"""
What tasks leave for people to read: the output of an attempt, `<home>/logs/<execution>/<node>/<attempt>.log`, standard output and error
together; and the decks that it publishes while it runs, below `<home>/decks/live`. When it ends, its decks become a blob, and the digest goes
into the history: files here no longer count then. Earlier versions kept decks in `<home>/decks/<execution>/<node>/<attempt>.html`.

A node inside another is a directory inside the other's. While an attempt runs, its output goes to `<attempt>.live`.
Names come from outside, so each is spelled with letters that have no special meaning on any file system.
A log does not survive a power cut: a sync for each attempt that prints would cost more than it is worth.
"""

import hashlib
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from tidegate import disk

MAX_LOG = 1024 * 1024
"""Bytes kept of what one attempt prints: the first and the last half of it."""

MAX_LIVE = 64 * MAX_LOG
"""Bytes that a running attempt may have printed before its output is shortened."""

MAX_NAME = 150
"""Longest name that is spelled out in a file name."""

FEW = 50
"""Nodes whose decks are looked up one by one; for more, the whole directory is listed."""

RECENT = 100_000_000
"""Nanoseconds: a log written more recently than this before the last one may still be written to, and others may have the same time."""

MOST_SEEN = 200
"""Logs whose read position is kept: those that are still written to, and the last ones that ended."""

PIECE, PIECES = 256 * 1024, 1024 * 1024
"""Bytes of one attempt's output that are read at once, and of all."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class AttemptText(Struct, frozen=True):
    """The output of one attempt. `live`: it still runs, or the machine stopped while it ran."""

    node: str
    attempt: int
    text: str
    live: bool = False


class Seen(Struct, frozen=True, omit_defaults=True):
    """
    How far a reader has read the logs of an execution.

    All logs last written to before `until` (of the file system, in nanoseconds) are read; for others, `bytes` says how much, by node and attempt.
    """

    until: Annotated[int, Meta(ge=0)] = 0
    bytes: dict[str, Annotated[int, Meta(ge=0)]] = {}


class Logs:
    """Where the logs and decks of a store are: below its home, in `logs/` and `decks/`."""

    are_everywhere = False

    def __init__(self, home: Path) -> None:
        self._home = home
        # All in one directory, which the owner can read at once. No execution is spelled with a dot.
        self._drafts = Path(home, "decks", ".new")
        self._live = Path(home, "decks", ".live")

    @property
    def top(self) -> Path:
        """The directory with all outputs."""
        return self._home / "logs"

    def path(self, execution: str, node: str, attempt: int) -> Path:
        """Return where the log of an attempt is, or would be if it had printed something."""
        return self._directory("logs", execution, node) / f"{attempt}.log"

    def live_path(self, execution: str, node: str, attempt: int) -> Path:
        """Return where the output of a running attempt goes."""
        return self._directory("logs", execution, node) / f"{attempt}.live"

    def read(self, execution: str, node: str | None = None) -> list[AttemptText]:
        """Return the output of the attempts of an execution, or of one node of it, by node and attempt."""
        found = []
        for name, attempt, path in self.files(execution, node):
            text = _read(path)
            if text is not None:
                found.append(AttemptText(name, attempt, text, path.suffix == ".live"))
        return sorted(found, key=in_order)

    def news(self, execution: str, node: str | None, seen: Seen) -> tuple[list[AttemptText], Seen]:
        """Return what was printed since a reader's position, and the new position. For running attempts, complete lines; of very much, a part."""
        found: list[AttemptText] = []
        bytes_: dict[str, int] = {}
        done: dict[str, int] = {}
        latest, room = 0, PIECES
        for name, attempt, path in self.files(execution, node):
            whose = f"{name} {attempt}"
            try:
                written = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue  # it is ending right now: the next read finds its log
            is_live = path.suffix == ".live"
            if not is_live and written <= seen.until and whose not in seen.bytes:
                continue
            begin = seen.bytes.get(whose, 0)
            text, end, is_all = _piece(path, begin, min(PIECE, room), whole_lines=is_live)
            room -= end - begin
            bytes_[whose] = end
            if is_all and not is_live:
                done[whose] = written
                latest = max(latest, written)
            if text:
                found.append(AttemptText(name, attempt, text, is_live))
        until = max(seen.until, latest - RECENT)
        return sorted(found, key=in_order), standing(until, bytes_, done)

    def end(self, execution: str, node: str | None) -> Seen:
        """Return the position of a reader who has read everything printed until now."""
        bytes_, done = {}, {}
        for name, attempt, path in self.files(execution, node):
            with suppress(FileNotFoundError):
                seen, whose = path.stat(), f"{name} {attempt}"
                bytes_[whose] = seen.st_size
                if path.suffix == ".log":
                    done[whose] = seen.st_mtime_ns
        return standing(max(done.values(), default=RECENT) - RECENT, bytes_, done)

    def files(self, execution: str, node: str | None) -> Iterator[tuple[str, int, Path]]:
        """Yield the file of each attempt with output, or of those of one node."""
        top = self._directory("logs", execution)
        within = top if node is None else self._directory("logs", execution, node)
        found: dict[tuple[str, int], Path] = {}
        # In this order `.live` comes before `.log`, which replaces it when both are there for a moment.
        for path in sorted(within.glob("*" if node is not None else "**/*")):
            if path.suffix in {".live", ".log"} and path.stem.isdecimal():
                found[_node(path, top), int(path.stem)] = path
        for (name, attempt), path in found.items():
            yield name, attempt, path

    def take_in(
        self, execution: str, node: str, attempt: int, body: bytes, start: int, *, whole: bool
    ) -> None:
        """Keep what an attempt elsewhere has printed: from a place on while it runs, or `whole`, once it has ended. A log that cannot be kept does not stop it."""
        live, path = self.live_path(execution, node, attempt), self.path(execution, node, attempt)
        with suppress(OSError):
            disk.make_directory(path.parent, durable=False)
            target = path if whole else live
            with target.open("r+b" if target.exists() else "wb") as file:
                disk.give(file.fileno(), path.parent)
                file.truncate(0 if whole else start)
                file.seek(0 if whole else start)
                file.write(body)
        if whole:
            with suppress(OSError):
                live.unlink()

    def publish_deck(self, execution: str, node: str, attempt: int, page: bytes) -> None:
        """Write the decks of a running attempt, replacing earlier ones. Errors: `OSError`."""
        disk.make_directory(self._live)
        disk.make_directory(self._drafts)
        disk.write(self._published(execution, node, attempt), page, self._drafts)

    def read_published(self, execution: str, node: str, attempt: int) -> bytes | None:
        """Return the decks that an attempt has published; None if there are none."""
        try:
            return self._published(execution, node, attempt).read_bytes()
        except FileNotFoundError:
            return None

    def has_published(self, execution: str, node: str, attempt: int) -> bool:
        """Whether an attempt has published decks."""
        return self._published(execution, node, attempt).exists()

    def published_at(self, execution: str, node: str, attempt: int) -> int:
        """Return when an attempt has published its decks last, by the file system in nanoseconds; 0 if it has not."""
        try:
            return self._published(execution, node, attempt).stat().st_mtime_ns
        except OSError:
            return 0

    def remove_published(self, execution: str, node: str, attempt: int) -> None:
        """Remove what an attempt has published, once it has ended. Errors: `OSError`."""
        self._published(execution, node, attempt).unlink(missing_ok=True)

    def remove_drafts(self) -> None:
        """Remove what killed processes have left while writing decks, and published decks of attempts that are gone."""
        disk.remove_drafts(self._drafts.glob("*"))
        disk.remove_drafts(self._live.glob("*"))

    def read_deck(self, execution: str, node: str, attempt: int = 0) -> tuple[int, str] | None:
        """Return the decks that an earlier version kept of an attempt, or of the last one that has any, with its number; None if there are none."""
        within = self._directory("decks", execution, node)
        there = [int(path.stem) for path in within.glob("*.html") if path.stem.isdecimal()]
        if not there or (attempt and attempt not in there):
            return None
        chosen = attempt or max(there)
        return chosen, (within / f"{chosen}.html").read_text(errors="replace")

    def nodes_with_decks(self, execution: str, among: Collection[str]) -> frozenset[str]:
        """Return which of these nodes of an execution have decks that an earlier version kept."""
        top = self._directory("decks", execution)
        if not top.is_dir():
            return frozenset()
        if len(among) > FEW:
            return frozenset(_node(path, top) for path in top.rglob("*.html"))
        within = {node: self._directory("decks", execution, node) for node in among}
        return frozenset(node for node, path in within.items() if any(path.glob("*.html")))

    def _published(self, execution: str, node: str, attempt: int) -> Path:
        whose = hashlib.sha256(f"{execution}/{node}".encode()).hexdigest()
        return self._live / f"{whose}-{attempt}.html"

    def _directory(self, kind: str, execution: str, node: str = "") -> Path:
        parts = [quote(part) for part in node.split("/")] if node else []
        return Path(self._home, kind, quote(execution), *parts)


def keep_log(printed: int, path: Path) -> None:
    """
    Move the contents of an open file, shortened to `MAX_LOG`, to the log of an attempt; nothing is written if the file is empty.

    The file is emptied first, so that there is room for the log on a full disk, and whatever fails then. Errors: `OSError`.
    """
    size = os.fstat(printed).st_size
    if size == 0:
        return
    try:
        body = _ends(printed, size)
    finally:
        os.ftruncate(printed, 0)
    disk.make_directory(path.parent, durable=False)
    with path.open("wb") as file:
        disk.give(file.fileno(), path.parent)
        file.write(body)


def shorten_log(printed: int, most: int = MAX_LIVE) -> int:
    """Cut the middle out of an open file that is appended to and has grown too long; return its length. Concurrent writes may be lost."""
    size = os.fstat(printed).st_size
    if size <= most:
        return size
    body = _ends(printed, size)
    os.ftruncate(printed, 0)
    return os.write(printed, body)


def _node(path: Path, top: Path) -> str:
    return "/".join(unquote(part) for part in path.parent.relative_to(top).parts)


def _ends(printed: int, size: int) -> bytes:
    if size <= MAX_LOG:
        return os.pread(printed, size, 0)
    half = MAX_LOG // 2
    note = f"\n... {size - 2 * half} bytes left out ...\n".encode()
    return os.pread(printed, half, 0) + note + os.pread(printed, half, size - half)


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            # A live file may be longer.
            file.seek(max(0, os.fstat(file.fileno()).st_size - 2 * MAX_LOG))
            return file.read(2 * MAX_LOG).decode(errors="replace")
    except FileNotFoundError:
        return None  # the attempt has ended meanwhile


def standing(until: int, bytes_: dict[str, int], done: dict[str, int]) -> Seen:
    """Return the position after a read; `done` gives the write times of completely read logs. Of very many, only the last ones may still change."""
    last = sorted((written, whose) for whose, written in done.items() if written > until)
    spare = len(bytes_) - (len(done) - len(last)) - MOST_SEEN
    if spare > 0:
        until = max([until, *(written for written, _ in last[:spare])])
    kept = {
        whose: count for whose, count in bytes_.items() if whose not in done or done[whose] > until
    }
    return Seen(until, kept)


def _piece(path: Path, begin: int, most: int, *, whole_lines: bool) -> tuple[str, int, bool]:
    """Return the text of a file from an offset on, where it ends, and whether that is all. A partial text ends with a line."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(begin)
            body = file.read(max(0, most))
    except FileNotFoundError:
        return "", begin, True
    if whole_lines or begin + len(body) < size:
        body = whole_lines_of(body)
    return body.decode(errors="replace"), begin + len(body), begin + len(body) >= size


def whole_lines_of(body: bytes) -> bytes:
    """Return a piece of output up to its last line that is complete. A single line longer than a piece is returned in pieces."""
    # A progress bar ends each state with a carriage return.
    cut = max(body.rfind(b"\n"), body.rfind(b"\r")) + 1
    return body[:cut] if cut or len(body) < PIECE else body


def quote(name: str) -> str:
    """Return how a name is spelled in the name of a file."""
    if _PLAIN.issuperset(name) and 0 < len(name) <= MAX_NAME:
        return name
    spelled = "".join(
        letter if letter in _PLAIN else "".join(f"%{byte:02x}" for byte in letter.encode())
        for letter in name
    )
    if 0 < len(spelled) <= MAX_NAME:
        return spelled
    # The percent sign at the end cannot come from spelling.
    return f"{spelled[: MAX_NAME - 40]}{hashlib.sha256(name.encode()).hexdigest()[:32]}%"


def unquote(part: str) -> str:
    """Return the name that is spelled so; a shortened one stays as it is."""
    if "%" not in part or part.endswith("%"):
        return part
    head, *rest = part.split("%")
    body = b"".join(bytes.fromhex(piece[:2]) + piece[2:].encode() for piece in rest)
    return head + body.decode(errors="replace")


def in_order(found: AttemptText) -> tuple[list[tuple[str, int]], int]:
    """Return by what outputs are sorted: by node and attempt."""
    # n2 sorts before n10.
    parts = [(part.rstrip("0123456789"), part) for part in found.node.split("/")]
    return [(stem, int(part[len(stem) :] or -1)) for stem, part in parts], found.attempt
