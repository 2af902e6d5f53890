"""
The engine's side of a store that several servers share: what it takes over, and what it lets go.

Only the engine's thread takes and gives shards, between two groups of events: so whatever it decides for a shard, it owns the shard, or its commit is
refused. What it has of a shard that it no longer owns is forgotten; what it takes over is taken up like everything at a start.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from math import inf
from time import monotonic
from typing import Final

from tidegate.engine.arrivals import NewExecution
from tidegate.engine.dispatch import Dispatch
from tidegate.engine.memory import Memory
from tidegate.errors import NotHere, StoreError
from tidegate.ports.executor import Job
from tidegate.ports.journal import Key
from tidegate.ports.shares import StoreShares, Turnover

ELSEWHERE = "another server owns this shard of the store: nothing was stored"

PATIENCE: Final = 5.0
"""Seconds for which no attempts begin in a shard that is to be given up, because others there still run."""

PAUSE: Final = 10.0
"""Seconds for which such a shard is then left alone."""

log = logging.getLogger(__name__)


def not_here() -> NotHere:
    """Return the error for an execution of another server."""
    return NotHere(ELSEWHERE, retry_after=1)


class Sharing:
    """The shards of the store that the engine decides about. Used on the engine's thread, except `serves` and `end`."""

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
        dispatch.serves = self.serves
        self._meant: dict[int, float] = {}
        self.taken = 0
        """How many shards were taken over since the start."""
        self.took = 0.0
        """How many seconds it has taken to take them up."""

    def serves(self, key: Key) -> bool:
        """Return whether an execution is decided about here."""
        return self._shares is None or self._shares.owns(key)

    def decides(self, key: Key) -> bool:
        """
        Return whether an answer to an execution is decided here.

        What is committed is proved to be owned. A refusal commits nothing: told from a memory that others have outdated while this process stood
        still, it might not be true.
        """
        shares = self._shares
        return self.serves(key) and (shares is None or not shares.is_shared or shares.is_sure(key))

    def serves_launch(self, wanted: NewExecution) -> bool:
        """Return whether a new execution would be decided about here."""
        if self._shares is None:
            return True
        if wanted.recovers is not None:
            return self._shares.owns(wanted.recovers)
        return self._shares.has(self._shares.home_shard(wanted.id))

    def end(self, lost: Collection[int]) -> None:
        """End the attempts of lost shards. From any thread, because that of the engine may be waiting for the database."""
        assert self._shares is not None
        shard_of = self._shares.shard_of
        self._dispatch.end(lambda key: shard_of(key) in lost)

    def lasting(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return those of these attempts that may begin. If this process has stood still since they were stored, until its lease may have ended, none: others repeat them."""
        shares = self._shares
        if not jobs or shares is None or not shares.is_shared:
            return jobs
        if shares.left <= 0:
            self.turn_over(Turnover(lost=shares.own))
        return [job for job in jobs if shares.owns(job.key)]

    def turn_over(self, wanted: Turnover) -> None:
        """Take and give shards, as far as that is possible now."""
        shares = self._shares
        assert shares is not None
        if lost := sorted(set(wanted.lost) & set(shares.own)):
            if not wanted.is_said:
                why = "their lease was not renewed in time"
                log.error("%d shards of the store are lost: %s", len(lost), why)
            shares.lose(lost)
        if wanted.lost:
            self.forget()
        self._give(shares, wanted.give, keeps=wanted.keeps)
        taken = shares.take(wanted.take) if wanted.take else []
        if taken:
            self._begin(shares, taken)

    def _give(self, shares: StoreShares, wanted: int, *, keeps: bool) -> None:
        """
        Give up shards once nothing of them runs that ends with that: of those meant for it, no more attempts begin, but not for long.

        `keeps`: what runs in workers goes on, and its new owner hears of it. What has not begun was called back at the look before.
        """
        now, looked = monotonic(), frozenset(self._meant)
        self._meant = {shard: until for shard, until in self._meant.items() if shard in shares.own}
        out = Counter(shares.shard_of(each.key) for each in self._dispatch.out)
        binding = self._dispatch.binding(keeps=keeps)
        busy = Counter(shares.shard_of(each.key) for each in binding)
        patience = inf if wanted >= len(shares.own) else PATIENCE
        missing = wanted - sum(until > now for until in self._meant.values())
        if missing > 0:
            # The busiest last; what was meant a moment ago and stayed busy is left alone, unless everything goes.
            others = [shard for shard in shares.own if shard not in self._meant or patience == inf]
            for shard in sorted(others, key=lambda each: (busy[each], out[each]))[:missing]:
                self._meant[shard] = now + patience
            self._dispatch.recall(lambda key: self._meant.get(shares.shard_of(key), 0) > now)
        meant = {shard for shard, until in self._meant.items() if until > now} if wanted else set()
        self._dispatch.sets_aside = (lambda key: shares.shard_of(key) in meant) if meant else None
        free = [each for each in meant if not busy[each] and (each in looked or not out[each])]
        if given := frozenset(free[:wanted]):
            self._dispatch.hand_over(lambda key: shares.shard_of(key) in given)
            self._dispatch.leave_aside(lambda key: shares.shard_of(key) in given)
            try:
                shares.give(sorted(given))
            finally:
                self.forget()
        self._meant = {shard: until for shard, until in self._meant.items() if until > now - PAUSE}
        self._dispatch.take_back()

    def _begin(self, shares: StoreShares, taken: Collection[int]) -> None:
        began = monotonic()
        try:
            self._take_up(lambda key: shares.shard_of(key) in taken)
        except StoreError:
            # Half taken up: somebody else begins afresh.
            shares.give(list(taken))
            self.forget()
            raise
        self.taken += len(taken)
        self.took += monotonic() - began

    def forget(self) -> None:
        """Forget what is no longer owned, and end its attempts: who owns it now repeats them."""
        self._memory.keep(self.serves)
        self._dispatch.leave(self.serves)
