"""
The watchdog: a thread that notices when another one is stuck, says where, and when it moves again.

A stuck thread is a part that is down: health, metrics and log show it. Nothing else happens: ending it would lose its work, and an operator who knows
where it is stuck can decide. A process that was stopped or starved as a whole does not count as stuck: then the watchdog was late as well.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Final, NamedTuple

from tidegate.parts import Part, Parts

LONGEST: Final = 1.0
"""Seconds after which a thread counts as stuck: a hundred times what any turn should take."""

LOOK: Final = 0.25
"""Seconds between two checks."""

FRAMES: Final = 6
"""Functions that are named, from the innermost on."""

Turning = Callable[[], tuple[int, float] | None]
"""Returns which thread is in a turn, and since when; None if it is between two, or waits for work."""


class _Watched(NamedTuple):
    part: Part
    turning: Turning


class Watchdog:
    """Watches threads. `clock` is the one by which they report since when they are in a turn."""

    def __init__(self, parts: Parts, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._clock = clock
        self._watched: list[_Watched] = []
        self._part = parts.part("watchdog", tidies=True)

    def watch(self, name: str, turning: Turning) -> None:
        """Watch a thread; it is shown as the part `name`."""
        self._watched.append(_Watched(self._parts.part(name), turning))

    def begin(self) -> None:
        """Start checking."""
        self._part.run(self._run)

    def end(self) -> None:
        """Stop checking."""
        self._part.stop()
        self._part.join(2 * LOOK)
        for each in self._watched:
            each.part.stop()

    def _run(self) -> None:
        last = self._clock()
        while not self._part.pause(LOOK):
            now = self._clock()
            if now - last < LOOK + LONGEST / 2:
                self.look(now)
            last = now

    def look(self, now: float) -> None:
        """Check all threads once."""
        for part, turning in self._watched:
            found = turning()
            if found is not None and now - found[1] > LONGEST:
                if not part.is_down:
                    part.failed(f"has been stuck for {LONGEST:.0f} s in {where(found[0])}")
            elif part.is_down:
                part.begins()
                part.works()


def where(thread: int) -> str:
    """Return where a thread is, from the innermost function on."""
    frame: FrameType | None = sys._current_frames().get(thread)  # noqa: SLF001 - the documented way to see another thread
    found: list[str] = []
    while frame is not None and len(found) < FRAMES:
        module = frame.f_globals.get("__name__", "?")
        found.append(f"{module}:{frame.f_lineno} ({frame.f_code.co_name})")
        frame = frame.f_back
    return " < ".join(found) or "no Python code"


class LoopTurns:
    """Says whether an event loop is responsive: it notes the time repeatedly, in the loop."""

    def __init__(self, thread: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._thread = thread
        self._clock = clock
        self._next = clock()

    async def run(self) -> None:
        """Note the time, for as long as the loop runs."""
        while True:
            self._next = self._clock() + LOOK
            await asyncio.sleep(LOOK)

    def turning(self) -> tuple[int, float] | None:
        """Return since when the loop is late."""
        return self._thread, self._next
