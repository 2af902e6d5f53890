"""
Budgets by who asks: how often, and how much at once.

Rule 1: each principal has budgets of its own, so none can take those of all. Strangers have one together.
Rule 2: what costs more takes more. What one client needs that goes as fast as it can is always there.
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
Units a second of one principal, and at once; a small request is one. Measured: a server on two cores gives 5,000 replies a second, a client on one
connection needs 2,000. So only what costs more is ever limited.
"""

PAGE_UNIT: Final = 5
"""Items of a page for a unit: a page of 500 takes as long as some fifty small requests, and as much again in bytes."""

SEARCH: Final = 50
"""Units for a search in a text, which goes through 20,000 rows at most."""

BUSY_OF_ONE: Final = 1_000
"""Requests of one principal that are under way at once: half of all."""

WAITING_OF_ONE: Final = 1_000
"""Long polls and streams of one principal: a third of all."""


class Pace:
    """Turns at a rate, after a burst: there is always one, though it may be later."""

    def __init__(self, rate: float, burst: float) -> None:
        self._gap = 1 / rate
        self._ahead = burst / rate
        self._next = -inf

    def wait(self, now: float) -> float:
        """Take the next turn; return in how many seconds it is."""
        self._next = max(self._next, now - self._ahead) + self._gap
        return max(0.0, self._next - now)


class WaitingLine:
    """
    A line of those who wait for a turn at a rate, after a burst, the first that came first. Only for one event loop.

    Who hangs up leaves it at once, and takes no turn: it is never longer than there are connections, whoever floods it.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._pace = Pace(rate, burst)
        self._waiting: dict[asyncio.Future[bool], None] = {}
        self._next: asyncio.TimerHandle | None = None

    async def turn(self, caller: Caller | None) -> bool:
        """Return True when it is this caller's turn, or False as soon as his connection has ended."""
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
                continue  # he has left, and does not know yet
            first.set_result(True)
            if pause := self._pace.wait(now):
                self._next = asyncio.get_running_loop().call_later(pause, self._go_on)
                return


class Buckets:
    """A bucket of permits for each key, which fills at a rate. At most `MAX_KEYS` are remembered."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str, now: float, cost: float = 1.0) -> float:
        """Take what something costs; return 0, or the seconds until there is a permit. Who has one may go below none by what costs more."""
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
    """Return what a request costs, by its query and the bytes of its body."""
    found = 1.0 + size // 1024
    limit = getattr(query, "limit", 0)
    if limit:
        found += limit / PAGE_UNIT
    if getattr(query, "text", ""):
        found += SEARCH
    return found


class Shares:
    """How many things of one kind each principal has at once, of which one may have `most`."""

    def __init__(self, what: str, most: int) -> None:
        self._what = what
        self._most = most
        self._of: Counter[str] = Counter()

    def begin(self, who: str) -> None:
        """Count one more. Errors: `RateLimited`; then it is not counted."""
        if self._of[who] >= self._most:
            why = f"{self._most:,} {self._what} of this token already; ask for less at once"
            raise RateLimited(why, retry_after=1)
        self._of[who] += 1

    def go_on(self, who: str) -> None:
        """Count one again that was counted before, and rested."""
        self._of[who] += 1

    def end(self, who: str) -> None:
        """Count one less."""
        self._of[who] -= 1
        if not self._of[who]:
            del self._of[who]

    @property
    def count(self) -> int:
        """How many there are of everybody."""
        return self._of.total()
