"""
The engine's side of a store that several servers share: what it takes over, and what it lets go.

Only the engine's thread takes and gives parts, between two groups of events: so whatever it decides for a part, it owns the part, or its commit is
refused. What it has of a part that it no longer owns is forgotten; what it takes over is taken up like everything at a start.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection
from math import inf
from time import monotonic
from typing import Final

from tidegate.engine.arrivals import NewExecution
from tidegate.engine.dispatch import Dispatch
from tidegate.engine.memory import Memory
from tidegate.errors import NotHere, StoreError
from tidegate.ports.journal import Key
from tidegate.ports.shares import StoreShares, Turnover

ELSEWHERE = "another server owns this part of the store: nothing was stored"

PATIENCE: Final = 5.0
"""Seconds for which no attempts begin in a part that is to be given up, because others there still run."""

PAUSE: Final = 10.0
"""Seconds for which such a part is then left alone."""

log = logging.getLogger(__name__)


def not_here() -> NotHere:
    """Return the error for an execution of another server."""
    return NotHere(ELSEWHERE, retry_after=1)


class Sharing:
    """The parts of the store that the engine decides about. Used on the engine's thread, except `serves`."""

    def __init__(
        self,
        shares: StoreShares | None,
        memory: Memory,
        dispatch: Dispatch,
        take_up: Callable[[Callable[[Key], bool]], None],
    ) -> None:
        self._shares = shares
        self._memory = memory
        self._dispatch = dispatch
        self._take_up = take_up
        self._meant: dict[int, float] = {}
        self.taken = 0
        """How many parts were taken over since the start."""

    def serves(self, key: Key) -> bool:
        """Return whether an execution is decided about here."""
        return self._shares is None or self._shares.owns(key)

    def serves_launch(self, wanted: NewExecution) -> bool:
        """Return whether a new execution would be decided about here."""
        if self._shares is None:
            return True
        if wanted.recovers is not None:
            return self._shares.owns(wanted.recovers)
        return self._shares.part_for(wanted.id) in self._shares.own

    def turn_over(self, wanted: Turnover) -> None:
        """Take and give parts, as far as that is possible now."""
        shares = self._shares
        assert shares is not None
        if lost := sorted(set(wanted.lost) & set(shares.own)):
            log.error(
                "%d parts of the store are lost: their lease was not renewed in time", len(lost)
            )
            shares.lose(lost)
            self.forget()
        self._give(shares, wanted.give)
        taken = shares.take(wanted.take) if wanted.take else []
        if taken:
            self._begin(shares, taken)

    def _give(self, shares: StoreShares, wanted: int) -> None:
        """Give up parts once nothing of them runs: of those meant for that, no more attempts begin, but not for long."""
        now = monotonic()
        self._meant = {part: until for part, until in self._meant.items() if part in shares.own}
        busy = Counter(shares.part_of(attempt.key) for attempt in self._dispatch.binding)
        patience = inf if wanted >= len(shares.own) else PATIENCE
        if missing := wanted - sum(until > now for until in self._meant.values()):
            # The busiest last; what was meant a moment ago and stayed busy is left alone, unless everything goes.
            others = [part for part in shares.own if part not in self._meant or patience == inf]
            for part in sorted(others, key=lambda each: busy[each])[: max(0, missing)]:
                self._meant[part] = now + patience
            self._dispatch.recall(lambda key: self._meant.get(shares.part_of(key), 0) > now)
        meant = {part for part, until in self._meant.items() if until > now} if wanted else set()
        self._dispatch.sets_aside = (lambda key: shares.part_of(key) in meant) if meant else None
        idle = [part for part in meant if not busy[part]][:wanted]
        if idle:
            self._dispatch.leave_aside(lambda key: shares.part_of(key) in idle)
            shares.give(idle)
            self.forget()
        self._meant = {part: until for part, until in self._meant.items() if until > now - PAUSE}
        self._dispatch.take_back()

    def _begin(self, shares: StoreShares, taken: Collection[int]) -> None:
        try:
            self._take_up(lambda key: shares.part_of(key) in taken)
        except StoreError:
            # Half taken up: somebody else begins afresh.
            shares.give(list(taken))
            self.forget()
            raise
        self.taken += len(taken)

    def forget(self) -> None:
        """Forget what is no longer owned, and end its attempts: who owns it now repeats them."""
        self._memory.keep(self.serves)
        self._dispatch.leave(self.serves)
