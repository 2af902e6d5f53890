"""
The connections of the network door, counted from the moment they are accepted, before TLS: a small number for anonymous callers, and a limit per token holder.

Rule 1: an anonymous connection is never refused. When the limit is reached, the oldest anonymous one is dropped for the new one. Addresses
        play no part: holders and anonymous callers share them behind proxies and on this machine.
Rule 2: a connection becomes its holder's with the first request that shows a valid token or session, and anonymous again with one that is
        refused for its token.
Rule 3: the limits follow from how many files the process may open, so connections alone never exhaust them.
"""

import asyncio
import resource
import socket
from collections import Counter
from contextlib import suppress
from typing import Any, Final

from msgspec import Struct

from tidegate.errors import Overloaded, RateLimited

CALLER: Final = "tidegate.caller"
"""Scope key of the connection that a request came on."""

STRANGERS: Final = 512
"""
Anonymous connections. A holder's connection counts as anonymous until its first request has arrived, which takes a few turns of the loop, or the milliseconds of a
handshake: it would be dropped only if this many are accepted in that time.
"""

HOLDERS: Final = 4_000
"""Connections of all token holders."""

OF_ONE: Final = 2_000
"""Connections of one holder: a token shared by a thousand programs has two for each."""

OTHERS: Final = 600
"""Files reserved for the store, the workers, blobs and the local door, which alone takes 320."""


class Sizes(Struct, frozen=True):
    """The limits on connections."""

    strangers: int = STRANGERS
    holders: int = HOLDERS
    of_one: int = OF_ONE


def sizes_for(files: int) -> Sizes:
    """Return the limits on connections for a process that may open this many files."""
    left = max(files - OTHERS, files // 3)
    strangers = min(STRANGERS, left // 4)
    holders = min(HOLDERS, left - strangers)
    return Sizes(strangers, holders, min(OF_ONE, max(1, holders // 2)))


def raised_limit() -> int:
    """Let this process open as many files as its connections need, as far as the system permits; return how many it may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = STRANGERS + HOLDERS + OTHERS
    if soft == resource.RLIM_INFINITY:
        return wanted
    # The default limit is low for the sake of old programs.
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    return max(soft, most)


class Callers:
    """All connections of the network door."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._strangers: dict[Caller, None] = {}
        self._held: Counter[str] = Counter()
        self.dropped = 0
        """How many anonymous connections were dropped for newer ones."""

    @property
    def strangers(self) -> int:
        """How many anonymous connections are open."""
        return len(self._strangers)

    @property
    def held(self) -> int:
        """How many connections of token holders are open."""
        return self._held.total()

    def open(self, line: socket.socket) -> "Caller":
        """Count a connection that was just accepted, as anonymous."""
        opened = Caller(self, line)
        self._add_stranger(opened)
        return opened

    def drop_oldest(self) -> None:
        """Drop the oldest anonymous connection, if there is one."""
        oldest = next(iter(self._strangers), None)
        if oldest is not None:
            self.dropped += 1
            oldest.drop()

    def _add_stranger(self, line: "Caller") -> None:
        while len(self._strangers) >= max(1, self._sizes.strangers):
            self.drop_oldest()
        self._strangers[line] = None

    def _give(self, line: "Caller", holder: str) -> None:
        if self._held[holder] >= self._sizes.of_one:
            why = f"this token already has {self._sizes.of_one:,} open connections; reuse them"
            raise RateLimited(why, retry_after=1)
        if self.held >= self._sizes.holders:
            why = f"{self._sizes.holders:,} connections are already open; try again in a second"
            raise Overloaded(why, retry_after=1)
        self._forget(line)
        self._held[holder] += 1
        line.holder = holder

    def _forget(self, line: "Caller") -> None:
        self._strangers.pop(line, None)
        if line.holder:
            self._held[line.holder] -= 1
            if not self._held[line.holder]:
                del self._held[line.holder]
            line.holder = ""


class Caller:
    """One connection: its holder, and how to end it. `holder` is the id of the token, empty while anonymous."""

    __slots__ = ("_callers", "_closed", "_socket", "_transport", "holder", "waits")

    def __init__(self, lines: Callers, line: socket.socket) -> None:
        self._callers = lines
        self._socket: socket.socket | None = line
        self._transport: Any = None
        self._closed = False
        self.holder = ""
        self.waits: asyncio.Future[bool] | None = None
        """Where a request on it waits for its turn."""

    def made(self, transport: Any) -> None:
        """Note that it is open, after TLS."""
        self._transport, self._socket = transport, None
        if self._closed:
            transport.abort()

    def belongs_to(self, holder: str) -> None:
        """Note who sent a request on it. Errors: `RateLimited`, `Overloaded` if there are too many."""
        if self.holder != holder and not self._closed:
            self._callers._give(self, holder)  # noqa: SLF001 - the other half of one thing

    def is_strange(self) -> None:
        """Note that its credentials are not, or no longer, valid."""
        if self.holder and not self._closed:
            self._callers._forget(self)  # noqa: SLF001
            self._callers._add_stranger(self)  # noqa: SLF001

    def closed(self) -> None:
        """Note that it has ended."""
        self._closed = True
        self._callers._forget(self)  # noqa: SLF001

    def lost(self) -> None:
        """Note that it has ended, and that the current request knows: a request waiting for its turn leaves the queue."""
        self.closed()
        if self.waits is not None and not self.waits.done():
            self.waits.set_result(False)

    def drop(self) -> None:
        """End it at once."""
        self.closed()
        if self._transport is not None:
            self._transport.abort()
        elif self._socket is not None:
            # A TLS handshake in progress notices, and closes it.
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
