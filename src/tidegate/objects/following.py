"""
Storing what attempts on this machine print and publish: while they run, once a second; when they end, whole.

Rule 1: the files stay on this machine until they are stored. What an earlier life of this process has left is stored when it starts.
Rule 2: nothing waits for this: if the object store is away, it is done once that is back.
"""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct

from tidegate.errors import ObjectsAway, StoreError
from tidegate.logs import Logs, unquote
from tidegate.objects.bucket import Bucket
from tidegate.objects.logs import deck_name, log_name, piece_name
from tidegate.parts import Part

EVERY: Final = 1.0
"""Seconds: what is printed is readable elsewhere after one and a half at most."""

PIECE: Final = 256 * 1024
"""Bytes of a piece: 256 pieces of the longest output."""

Whose: TypeAlias = tuple[str, str, int]
"""An execution, a node and an attempt."""


class _Running(Struct):
    """How much of an attempt's output is stored, where its last piece begins, and when the decks that are stored were published."""

    stored: int = 0
    piece: int = 0
    published: int = 0


class Following:
    """What is followed on this machine. May be used from any thread; `run` is the thread that stores."""

    def __init__(self, bucket: Bucket, local: Logs) -> None:
        self._bucket = bucket
        self._local = local
        self._changed = threading.Condition()
        self._running: dict[Whose, _Running] = {}
        self._ended: dict[Whose, None] = {}
        self._closed = False

    def follow(self, execution: str, node: str, attempt: int) -> None:
        """Store what an attempt prints and publishes, while it runs."""
        with self._changed:
            self._running.setdefault((execution, node, attempt), _Running())
            self._changed.notify()

    def settle(self, execution: str, node: str, attempt: int) -> None:
        """Store the log of an attempt that has ended, in the background."""
        with self._changed:
            self._ended[execution, node, attempt] = None
            self._changed.notify()

    def keep_log(self, execution: str, node: str, attempt: int) -> None:
        """Store the log of an attempt, if it has one; then it is no longer on this machine. Errors: `ObjectsAway`, `StoreError`."""
        path = self._local.path(execution, node, attempt)
        with suppress(FileNotFoundError):
            self._bucket.put_file(log_name(execution, node, attempt), path)
            path.unlink(missing_ok=True)

    def run(self, part: Part) -> None:
        """Store until the part is stopped."""
        self._take_up()
        while not part.is_stopped:
            with self._changed:
                while not (self._running or self._ended or self._closed):
                    self._changed.wait()
                ended, running = list(self._ended), dict(self._running)
            try:
                for whose in ended:
                    self._end(whose)
                for whose, state in running.items():
                    self._look(whose, state)
            except ObjectsAway:
                pass  # health says so, by the part of the object store
            if part.pause(EVERY):
                return

    def close(self) -> None:
        """Let the thread return; what has ended is stored first, if the store is there."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            ended = list(self._ended)
        with suppress(StoreError):
            for whose in ended:
                self._end(whose)

    def _take_up(self) -> None:
        """Find what an earlier process has left here."""
        for top in sorted(self._local.top.glob("*")):
            for path in sorted(top.rglob("*"), reverse=True):
                with suppress(OSError):
                    path.rmdir()  # the directories of what is stored by now
                if path.suffix in {".log", ".live"} and path.stem.isdecimal():
                    node = "/".join(map(unquote, path.parent.relative_to(top).parts))
                    with self._changed:
                        self._ended[unquote(top.name), node, int(path.stem)] = None

    def _look(self, whose: Whose, state: _Running) -> None:
        with suppress(FileNotFoundError):
            self._store_output(whose, state, self._local.live_path(*whose))
        at = self._local.published_at(*whose)
        if at != state.published and (page := self._local.read_published(*whose)) is not None:
            self._bucket.put(deck_name(*whose), page)
            state.published = at

    def _store_output(self, whose: Whose, state: _Running, path: Path) -> None:
        size = path.stat().st_size
        if size < state.stored:
            # Its middle was cut out.
            self._remove_pieces(whose)
            state.stored = state.piece = 0
        with path.open("rb") as file:
            while state.stored < size:
                if state.stored - state.piece >= PIECE:
                    state.piece = state.stored
                file.seek(state.piece)
                body = file.read(PIECE)
                if state.piece + len(body) <= state.stored:
                    return
                self._bucket.put(piece_name(*whose, state.piece), body)
                state.stored = state.piece + len(body)

    def _end(self, whose: Whose) -> None:
        live = self._local.live_path(*whose)
        if live.exists():
            # A process that was killed has left it: this is all that is known of what the attempt has printed.
            self._store_output(whose, _Running(), live)
            live.unlink(missing_ok=True)
        else:
            self.keep_log(*whose)
            if whose in self._running:
                self._remove_pieces(whose)
                self._bucket.remove(deck_name(*whose))
        with self._changed:
            self._ended.pop(whose, None)
            self._running.pop(whose, None)

    def _remove_pieces(self, whose: Whose) -> None:
        folder = piece_name(*whose, 0).rpartition("/")[0]
        self._bucket.remove(*(each.name for each in self._bucket.list(f"{folder}/")))
