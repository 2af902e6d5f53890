"""
Noticing that the wall clock was set back: it shows less than it has shown before.

An engine that waits for a retry reads the clock once a second (`loop.NAP`), so its last reading is at most that old. No other clock is used:
what moves the wall clock may move a monotonic one as well, as when a virtual machine is restored.
"""

import logging
from collections.abc import Callable

from tidegate.core.messages import ClockSetBack, Event
from tidegate.ir.graph import SECOND, Instant, Micros
from tidegate.ports.journal import Key

LEAST = SECOND
"""Corrections below a second are routine; a timer may fire that late anyway."""

log = logging.getLogger(__name__)


class Backwards:
    """Compares each reading of the clock with the one before."""

    def __init__(self) -> None:
        self._seen = Instant(0)

    def news(self, now: Instant) -> Callable[[Key, Instant], Event] | None:
        """Return the event for executions if the clock was set back since the last reading; None if it was not."""
        by, self._seen = Micros(self._seen - now), now
        if by < LEAST:
            return None
        log.warning("the clock was set back by %d s; retries do not wait for it", by // SECOND)
        return lambda _, at: ClockSetBack(at, by)
