"""
Budgets per principal: request rate, and concurrency.

Rule 1: each principal has separate budgets, so none can use up the others'. All anonymous callers share one.
Rule 2: a more expensive request takes more. The budget always covers a single client that sends as fast as it can.
"""

import asyncio
from collections import Counter
from math import inf
from typing import Any, Final

from tidegate.api.callers import Caller
from tidegate.errors import RateLimited

MAX_KEYS: Final = 10_000

RATE: Final = 10_000.0
BURST: Final = 20_000.0
"""
Units per second of one principal, and the burst; a small request costs one. Measured: a server on two cores sends 5,000 replies a second, a client on one
connection needs 2,000. So only more expensive requests are ever limited.
"""

PAGE_UNIT: Final = 5
"""Items of a page per unit: a page of 500 takes as long as some fifty small requests, and as many bytes."""

SEARCH: Final = 50
"""Units for a text search, which scans 20,000 rows at most."""

BUSY_OF_ONE: Final = 1_000
"""Concurrent requests of one principal: half of the total."""

WAITING_OF_ONE: Final = 1_000
"""Long polls and streams of one principal: a third of the total."""


class Pace:
    """Turns at a rate, after a burst: a turn is always granted, though perhaps later."""

    def __init__(self, rate: float, burst: float) -> None:
        self._gap = 1 / rate
        self._ahead = burst / rate
        self._next = -inf

    def wait(self, now: float) -> float:
        """Take the next turn; return the seconds until it comes."""
        self._next = max(self._next, now - self._ahead) + self._gap
        return max(0.0, self._next - now)


class WaitingLine:
    """
    A FIFO queue for turns at a rate, after a burst. For one event loop only.

    A caller that hangs up leaves it at once and takes no turn, so it is never longer than the number of connections.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._pace = Pace(rate, burst)
        self._waiting: dict[asyncio.Future[bool], None] = {}
        self._next: asyncio.TimerHandle | None = None

    async def turn(self, caller: Caller | None) -> bool:
        """Return True when it is this caller's turn, or False as soon as the connection has ended."""
        loop = asyncio.get_running_loop()
        if self._next is None:
            pause = self._pace.wait(loop.time())
            if not pause:
                return True
            self._next = loop.call_later(pause, self._go_on)
        turn: asyncio.Future[bool] = loop.create_future()
        self._waiting[turn] = None
        if caller is not None:
            caller.waits = turn
        try:
            return await turn
        finally:
            self._waiting.pop(turn, None)

    def __len__(self) -> int:
        return len(self._waiting)

    def _go_on(self) -> None:
        self._next = None
        now = asyncio.get_running_loop().time()
        while (first := next(iter(self._waiting), None)) is not None:
            del self._waiting[first]
            if first.done():
                continue  # it has left, and has not been told yet
            first.set_result(True)
            if pause := self._pace.wait(now):
                self._next = asyncio.get_running_loop().call_later(pause, self._go_on)
                return


class Buckets:
    """A token bucket per key, filled at a rate. At most `MAX_KEYS` are remembered."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str, now: float, cost: float = 1.0) -> float:
        """Take the cost of a request; return 0, or the seconds until a permit is free. One expensive request may take the balance below zero."""
        left, since = self._left.get(key, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        if left < 1:
            self._left[key] = (left, now)
            return (1 - left) / self._rate
        if len(self._left) >= MAX_KEYS:
            self._forget(now)
        self._left[key] = (left - cost, now)
        return 0.0

    def _forget(self, now: float) -> None:
        used = [
            (key, (left, since))
            for key, (left, since) in self._left.items()
            if left + (now - since) * self._rate < self._burst
        ]
        self._left = dict(used[-MAX_KEYS // 2 :])


def cost_of(query: Any, size: int) -> float:
    """Return the cost of a request, from its query and the bytes of its body."""
    found = 1.0 + size // 1024
    limit = getattr(query, "limit", 0)
    if limit:
        found += limit / PAGE_UNIT
    if getattr(query, "text", ""):
        found += SEARCH
    return found


class Shares:
    """How many things of one kind each principal has at once, at most `most`."""

    def __init__(self, what: str, most: int) -> None:
        self._what = what
        self._most = most
        self._of: Counter[str] = Counter()

    def begin(self, who: str) -> None:
        """Count one more. Errors: `RateLimited`; then it is not counted."""
        if self._of[who] >= self._most:
            why = f"this token already has {self._most:,} {self._what}; reduce its concurrency"
            raise RateLimited(why, retry_after=1)
        self._of[who] += 1

    def go_on(self, who: str) -> None:
        """Count one again after it was suspended."""
        self._of[who] += 1

    def end(self, who: str) -> None:
        """Count one less."""
        self._of[who] -= 1
        if not self._of[who]:
            del self._of[who]

    @property
    def count(self) -> int:
        """The total over all principals."""
        return self._of.total()
