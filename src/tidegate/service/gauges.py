"""What an operator watches: whether all parts work, how much is stored and pending, and how much was done since start-up."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from tidegate.core.state import ExecutionPhase
from tidegate.engine.loop import Engine
from tidegate.parts import Standing
from tidegate.ports.executor import (
    ENVIRONMENT,
    MISSING,
    NO_OBJECTS,
    NO_ROOM,
    NO_WORKER,
    TOO_LARGE,
    Executor,
)
from tidegate.ports.journal import Counts, Key
from tidegate.ports.store import Store

HELD = (ENVIRONMENT, MISSING, NO_OBJECTS, NO_ROOM, NO_WORKER, TOO_LARGE)
"""Reasons for which attempts can be held."""

Status = Literal["ok", "degraded", "stopping", "down"]


class Reading(Struct, frozen=True):
    """The gauges at one moment. `commits` counts transactions since start-up, `decided` the execution changes in them."""

    parts: list[Standing]

    counts: Counts
    queued: int
    commits: int
    decided: int
    held: dict[str, int]
    """How many attempts are held, by reason."""
    waiting: int = 0
    """How many attempts wait for a free worker."""
    elsewhere: int = 0
    """How many attempts since start-up began in an environment other than the one their execution was launched in."""


class SharesReading(Struct, frozen=True):
    """What this server owns of a store that servers share: its shards, with the queued and running attempts of each; since the start, taken shards and the seconds that took."""

    shards: dict[int, int]
    lease_age: float
    refused: int
    taken: int
    took: float


class Gauges:
    """Counts what the engine does, and reads how much is stored."""

    def __init__(self, store: Store, engine: Engine, executor: Executor) -> None:
        self._listings = store.listings
        self._shares = store.shares
        self._engine = engine
        self._executor = executor
        self._commits = 0
        self._decided = 0
        self.is_stopping = False
        """Whether this process is shutting down and refuses launches."""
        store.changes.subscribe(engine.parts.part("counters").guard(self._committed))

    def read(self) -> Reading:
        """Return the gauges, from counters: the cost does not depend on the size of the store. Errors: `StoreError` and below."""
        counts = self._listings.counts()
        held = Counter(each.code for each in self._engine.held())
        waiting = len(self._executor.queue().waiting)
        elsewhere = self._engine.dispatch.elsewhere
        queued, commits, decided = self._engine.queued, self._commits, self._decided
        return Reading(self.parts, counts, queued, commits, decided, held, waiting, elsewhere)

    def shares(self) -> SharesReading | None:
        """Return what this server owns of a store that servers share; None if it shares nothing."""
        shares, sharing = self._shares, self._engine.sharing
        if shares is None or not shares.is_shared:
            return None
        out = Counter(shares.shard_of(each.key) for each in self._engine.dispatch.out.copy())
        owned = {shard: out[shard] for shard in shares.own}
        return SharesReading(owned, *shares.vitals(), sharing.taken, sharing.took)

    @property
    def parts(self) -> list[Standing]:
        """The status of each part of this process."""
        return self._engine.parts.standings()

    @property
    def status(self) -> Status:
        """The status of this process as a whole: it serves everybody while it is ok or degraded."""
        return "stopping" if self.is_stopping else self._engine.parts.health

    def _committed(self, phases: Mapping[Key, ExecutionPhase]) -> None:
        # What other servers have changed is told in another thread, and is theirs to count.
        own = len(phases) if self._shares is None else sum(map(self._shares.owns, phases))
        if own:
            self._commits += 1
            self._decided += own
