"""What an operator watches: how much there is, how much waits to be decided, how much was done since the start."""

from collections.abc import Mapping

from msgspec import Struct

from tidegate.core.state import ExecutionPhase
from tidegate.engine.loop import Engine
from tidegate.errors import TidegateError
from tidegate.ports.journal import Key
from tidegate.ports.listings import Counts
from tidegate.ports.store import Store


class Reading(Struct, frozen=True):
    """The gauges at one moment. `commits` counts transactions since the start, `decided` changes of executions in them."""

    counts: Counts
    queued: int
    commits: int
    decided: int


class Gauges:
    """Counts what the engine does, and reads how much there is."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._engine = engine
        self._commits = 0
        self._decided = 0
        engine.watch(self._committed)

    def read(self) -> Reading:
        """Return the gauges. It counts all executions, so it is not for often. Errors: `StoreError` and below."""
        return Reading(self._store.counts(), self._engine.queued, self._commits, self._decided)

    @property
    def failure(self) -> TidegateError | None:
        """Why the engine does not work any more; None as long as it does."""
        return self._engine.failure

    def _committed(self, phases: Mapping[Key, ExecutionPhase]) -> None:
        # Only the engine's thread comes here.
        self._commits += 1
        self._decided += len(phases)
