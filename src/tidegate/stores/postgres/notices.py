"""
What servers that share a store tell each other through the database: which shards have changed, and that shards are free.

A notice is a hint, sent after the commit from a connection of its own, at most one in thirty milliseconds: a commit that sends one itself makes all
commits of the database wait for each other. Whatever a notice would have told is also looked for twice a second.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic
from typing import TypeAlias

import psycopg

from tidegate.errors import StoreError
from tidegate.stores.postgres.connections import PostgresConnections, connect
from tidegate.stores.postgres.dialect import explained
from tidegate.stores.rows import Row

PAUSE_SECONDS = 0.03
"""The shortest time between two notices of a server: as short as that between two looks of those who hear them."""

FLOOR_SECONDS = 0.5
"""Longest pause after which everything is looked at without a notice."""


LOOK_SECONDS = 0.03
"""Shortest pause between two looks at what others have changed."""

LOOK_SHARE = 10
"""Seconds of pause for each second that such reading takes."""

log = logging.getLogger(__name__)


Heard: TypeAlias = Callable[[int | None, bool], None]
"""Takes the shards that have changed, as bits, and whether some are free; None twice a second, whether or not anything was told."""


class Notices:
    """The notices of one server: those it sends, and those it hears."""

    def __init__(self, connections: PostgresConnections, store: str, name: str) -> None:
        self._connections = connections
        self._channel = f"tidegate_{store.replace('-', '')}"
        self._name = name
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._shards = 0
        self._freed = False
        self._ended = threading.Event()

    def changed(self, shards: Iterable[int]) -> None:
        """Tell the others that executions of these shards have changed."""
        bits = 0
        for each in shards:
            bits |= 1 << each
        with self._lock:
            self._shards |= bits
        self._wanted.set()

    def freed(self) -> None:
        """Tell the others that shards are free."""
        with self._lock:
            self._freed = True
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
                freed, self._freed = self._freed, False
            text = f"{self._name} {shards:x} {freed:d}"
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

    def hear(self, call: Heard) -> None:
        """Call this with what others tell, until it is closed."""
        while not self._ended.is_set():
            try:
                self._hear(call)
            except StoreError as error:
                log.debug("notices cannot be heard: %s", error.message)
                with suppress(StoreError):
                    call(None, False)
                self._ended.wait(FLOOR_SECONDS)

    def _hear(self, call: Heard) -> None:
        with (
            explained(self._connections.name),
            connect(self._connections.address, of="listens") as raw,
        ):
            raw.execute(f'LISTEN "{self._channel}"'.encode())
            looked = 0.0
            while not self._ended.is_set():
                shards, freed = 0, False
                for notice in raw.notifies(timeout=FLOOR_SECONDS, stop_after=1):
                    name, bits, flag = notice.payload.split(" ")
                    if name != self._name:
                        shards, freed = shards | int(bits, 16), freed or flag == "1"
                if shards or freed:
                    began = monotonic()
                    call(shards, freed)
                    # What comes meanwhile is read together, for that costs this server and the database.
                    took = monotonic() - began
                    self._ended.wait(min(max(LOOK_SECONDS, LOOK_SHARE * took), FLOOR_SECONDS))
                if monotonic() - looked >= FLOOR_SECONDS:
                    looked = monotonic()
                    call(None, False)
