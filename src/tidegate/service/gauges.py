"""What an operator watches: whether all parts work, how much there is and waits to be decided, how much was done since the start."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from tidegate.core.state import ExecutionPhase
from tidegate.engine.loop import Engine
from tidegate.parts import Standing
from tidegate.ports.executor import ENVIRONMENT, MISSING, NO_ROOM, NO_WORKER, TOO_LARGE, Executor
from tidegate.ports.journal import Counts, Key
from tidegate.ports.store import Store

HELD = (ENVIRONMENT, MISSING, NO_ROOM, NO_WORKER, TOO_LARGE)
"""Why attempts may be held."""

Status = Literal["ok", "degraded", "stopping", "down"]


class Reading(Struct, frozen=True):
    """The gauges at one moment. `commits` counts transactions since the start, `decided` changes of executions in them."""

    parts: list[Standing]

    counts: Counts
    queued: int
    commits: int
    decided: int
    held: dict[str, int]
    """How many attempts are held, by why."""
    waiting: int = 0
    """How many attempts wait for a free worker."""
    elsewhere: int = 0
    """How many attempts began in another environment than their execution was launched in, since the start."""


class Gauges:
    """Counts what the engine does, and reads how much there is."""

    def __init__(self, store: Store, engine: Engine, executor: Executor) -> None:
        self._listings = store.listings
        self._engine = engine
        self._executor = executor
        self._commits = 0
        self._decided = 0
        self.is_stopping = False
        """Whether this process is about to end, and launches nothing."""
        store.changes.subscribe(engine.parts.part("counters").guard(self._committed))

    def read(self) -> Reading:
        """Return the gauges, from counters: however much there is, it costs the same. Errors: `StoreError` and below."""
        counts = self._listings.counts()
        held = Counter(each.code for each in self._engine.held())
        waiting = len(self._executor.queue().waiting)
        elsewhere = self._engine.dispatch.elsewhere
        queued, commits, decided = self._engine.queued, self._commits, self._decided
        return Reading(self.parts, counts, queued, commits, decided, held, waiting, elsewhere)

    @property
    def parts(self) -> list[Standing]:
        """How each part of this process is."""
        return self._engine.parts.standings()

    @property
    def status(self) -> Status:
        """How this process is as a whole: it serves everybody while it is ok or degraded."""
        return "stopping" if self.is_stopping else self._engine.parts.health

    def _committed(self, phases: Mapping[Key, ExecutionPhase]) -> None:
        # Only the engine's thread comes here.
        self._commits += 1
        self._decided += len(phases)
