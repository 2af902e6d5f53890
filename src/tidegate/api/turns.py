"""
Turns on the processor: a few slow requests run at once, so that a client with many of them delays only itself.

Rule 1: `of_one` requests of one principal run at once, and `in_all` of all; further ones queue.
Rule 2: the queue is served round-robin over principals, and first come, first served within each.
"""

import asyncio
from collections import Counter, deque

from tidegate.errors import RateLimited


class Turns:
    """Turns at slow work. For one event loop only. Of one principal at most `most` may wait, if that is given."""

    def __init__(self, in_all: int, of_one: int, most: int = 0) -> None:
        self._in_all = in_all
        self._of_one = of_one
        self._most = most
        self._at_work: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, who: str) -> None:
        """Return when it is this principal's turn, which ends with `give`. Errors: `RateLimited`."""
        waiting = self._waiting.get(who)
        if waiting is None and self._is_free(who):
            self._at_work[who] += 1
            return
        if waiting is None:
            waiting = self._waiting[who] = deque()
        if self._most and len(waiting) >= self._most:
            why = f"this token already has {self._most} reads in the queue; reduce its concurrency"
            raise RateLimited(why, retry_after=1)
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(who)
            else:
                self._forget(who, turn)
            raise

    def give(self, who: str) -> None:
        """End a turn; the next one starts."""
        self._at_work[who] -= 1
        if not self._at_work[who]:
            del self._at_work[who]
        self._go_on()

    def _is_free(self, who: str) -> bool:
        return self._at_work.total() < self._in_all and self._at_work[who] < self._of_one

    def _go_on(self) -> None:
        while (who := next(filter(self._is_free, self._waiting), None)) is not None:
            waiting = self._waiting.pop(who)
            turn = waiting.popleft()
            if waiting:
                self._waiting[who] = waiting  # behind all others
            self._at_work[who] += 1
            turn.set_result(None)

    def _forget(self, who: str, turn: "asyncio.Future[None]") -> None:
        waiting = self._waiting.get(who, deque())
        waiting.remove(turn)
        if not waiting:
            del self._waiting[who]
