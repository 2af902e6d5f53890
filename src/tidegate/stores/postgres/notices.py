"""
What servers that share a store tell each other through the database: which shards have changed, and that shards are free.

A notice is a hint, sent after the commit from a connection of its own, at most one in ten milliseconds: a commit that sends one itself makes all
commits of the database wait for each other. Whatever a notice would have told is also looked for twice a second.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic

import psycopg

from tidegate.errors import StoreError
from tidegate.stores.postgres.connections import PostgresConnections, connect
from tidegate.stores.postgres.dialect import explained
from tidegate.stores.rows import Row

PAUSE_SECONDS = 0.01
"""The shortest time between two notices of a server."""

FLOOR_SECONDS = 0.5
"""Longest pause after which everything is looked at without a notice."""

FREED = "freed"

log = logging.getLogger(__name__)


class Notices:
    """The notices of one server: those it sends, and those it hears."""

    def __init__(self, connections: PostgresConnections, store: str, name: str) -> None:
        self._connections = connections
        self._channel = f"tidegate_{store.replace('-', '')}"
        self._name = name
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._shards = 0
        self._words: set[str] = set()
        self._ended = threading.Event()

    def changed(self, shards: Iterable[int]) -> None:
        """Tell the others that executions of these shards have changed."""
        bits = 0
        for each in shards:
            bits |= 1 << each
        with self._lock:
            self._shards |= bits
        self._wanted.set()

    def say(self, word: str) -> None:
        """Tell the others that shards were freed."""
        with self._lock:
            self._words.add(word)
        self._wanted.set()

    def close(self) -> None:
        """Send and hear nothing more."""
        self._ended.set()
        self._wanted.set()

    def send(self) -> None:
        """Send notices until it is closed."""
        raw: psycopg.Connection[Row] | None = None
        while not self._ended.is_set():
            self._wanted.wait()
            self._wanted.clear()
            with self._lock:
                shards, self._shards = self._shards, 0
                words, self._words = self._words, set()
            text = " ".join([self._name, f"{shards:x}", *sorted(words)])
            try:
                with explained(self._connections.name):
                    raw = raw or connect(self._connections.address, of="notices")
                    raw.execute("SELECT pg_notify(%s, %s)", (self._channel, text))
            except StoreError as error:
                log.debug("a notice was not sent: %s", error.message)
                if raw is not None:
                    raw.close()
                    raw = None
            self._ended.wait(PAUSE_SECONDS)
        if raw is not None:
            raw.close()

    def hear(self, call: Callable[[int | None, frozenset[str]], None]) -> None:
        """Call this with what others tell, shards as bits, and words; and twice a second with None, whether or not anything was told; until it is closed."""
        while not self._ended.is_set():
            try:
                self._hear(call)
            except StoreError as error:
                log.debug("notices cannot be heard: %s", error.message)
                with suppress(StoreError):
                    call(None, frozenset())
                self._ended.wait(FLOOR_SECONDS)

    def _hear(self, call: Callable[[int | None, frozenset[str]], None]) -> None:
        with (
            explained(self._connections.name),
            connect(self._connections.address, of="listens") as raw,
        ):
            raw.execute(f'LISTEN "{self._channel}"'.encode())
            looked = 0.0
            while not self._ended.is_set():
                shards, words = 0, set[str]()
                for notice in raw.notifies(timeout=FLOOR_SECONDS, stop_after=1):
                    name, bits, *rest = notice.payload.split(" ")
                    if name != self._name:
                        shards |= int(bits, 16)
                        words.update(rest)
                if shards or words:
                    call(shards, frozenset(words))
                if monotonic() - looked >= FLOOR_SECONDS:
                    looked = monotonic()
                    call(None, frozenset())
