"""Events that concern many executions, such as that their host starts or stops: told a page at a time, each in one transaction."""

import logging
from collections.abc import Callable

from tidegate.core.messages import Event
from tidegate.engine.dispatch import Dispatch
from tidegate.engine.ledger import Ledger
from tidegate.engine.memory import Hot, Memory
from tidegate.engine.outcomes import is_of_the_store
from tidegate.errors import StoreError
from tidegate.ir.graph import Instant
from tidegate.ports.clock import Clock
from tidegate.ports.journal import Journal, Key

PAGE = 2_000
"""Most executions told in one transaction."""

log = logging.getLogger(__name__)

Telling = Callable[[Key, Instant], Event]


class News:
    """Tells executions what concerns all of them. `store` decides and commits, `decide` is one step, `act` does what follows from it."""

    def __init__(
        self,
        memory: Memory,
        clock: Clock,
        store: Callable[[Callable[[Ledger], None]], Ledger],
        decide: Callable[[Ledger, Hot, Event], object],
        act: Callable[[Ledger], None],
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._store = store
        self._decide = decide
        self._act = act

    def tell_all(self, find: Callable[[], list[Key]], news: Telling, otherwise: str) -> None:
        """Tell these executions; what cannot be stored is logged, with the consequences."""
        try:
            self.tell(find(), news)
        except StoreError as error:
            log.warning("%s: %s", otherwise, error)

    def tell(self, keys: list[Key], news: Telling) -> None:
        """Tell these executions, a page at a time. Errors: `StoreError`."""
        for first in range(0, len(keys), PAGE):
            self.tell_page(keys[first : first + PAGE], news)

    def tell_page(self, keys: list[Key], news: Telling) -> None:
        """Tell some executions, and store what that changes. Errors: `StoreError`."""

        def tell_them(ledger: Ledger) -> None:
            for key in keys:
                self._decide(ledger, self._memory.get(key), news(key, self._clock.now()))

        try:
            ledger = self._store(tell_them)
        except Exception as error:
            self._memory.clear()
            if is_of_the_store(error):
                raise
            if len(keys) == 1:
                log.exception("execution number %d cannot be read back", keys[0])
                return
            for key in keys:
                self.tell_page([key], news)
            return
        self._act(ledger)
        self._memory.cool()

    def take_over(
        self, journal: Journal, dispatch: Dispatch, is_new: Callable[[Key], bool]
    ) -> None:
        """Take up the executions of shards that were just taken. Errors: `StoreError`."""
        keys = journal.active()
        dispatch.shelf.take_up(keys)
        new = [key for key in keys if is_new(key)]
        dispatch.attach(new, self._memory)
        self.tell(new, dispatch.taken_up)
