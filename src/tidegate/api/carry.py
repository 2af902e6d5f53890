"""
Running the steps of a use case in an event loop: what they wait for is awaited, so a waiting request costs no thread.

Steps start in the loop, because a hop to a thread costs more than most of them do. Work that is cheaper in a batch is done once for all
requests of this turn of the loop. A step that announces longer work continues in a thread of the loop's pool; its view is encoded there, too,
because what takes long to read takes long to encode.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

from tidegate.api.route import Receive, encode
from tidegate.api.turns import Turns
from tidegate.service.steps import ASIDE, MOST_TOGETHER, Pause, Steps, Together, outcome

T = TypeVar("T")


LINGER: Final = 0.001
"""Longest time in seconds that combined steps wait for others, while the engine is busy."""


READS: Final = 2
READS_OF_ONE: Final = 1
"""
Reads running in threads at once, and those of one principal. Threads share one processor under Python's lock: more at once finish no
sooner, and each additional one makes an answer wait longer for its turn.
"""

READS_WAITING: Final = 200
"""Queued reads of one principal: each takes some 20 ms at most, so the last one waits four seconds."""

ACTS: Final = 16
ACTS_OF_ONE: Final = 4
"""Slow changes, such as importing code or reading an ended execution: as many as there are threads, and a quarter of them per principal."""


class HungUp(Exception):
    """The client has hung up."""


async def gone(receive: Receive) -> None:
    """Return when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Carried(Struct, Generic[T], frozen=True):
    """What a use case returned; `body` is its encoding, if it was made off the loop."""

    view: T
    body: bytes | None = None


class Carrier:
    """Runs steps in the event loop; there is one per loop."""

    def __init__(self) -> None:
        self._reads = Turns(READS, READS_OF_ONE, READS_WAITING)
        self._acts = Turns(ACTS, ACTS_OF_ONE)
        self._done: deque[asyncio.Future[None]] = deque()
        self._woken = False
        self._paused = 0
        self._come: list[tuple[Together, asyncio.Future[Any]]] = []
        self._at_last: asyncio.Handle | None = None

    async def carry(
        self,
        steps: Steps[T],
        receive: Receive | None = None,
        *,
        aside: bool = False,
        who: str = "",
        reads: bool = False,
    ) -> Carried[T]:
        """
        Run all the steps, starting in a thread if `aside`. Work in a thread takes a turn of `who`; `reads` marks a request that changes nothing.

        Errors: what they raise; `HungUp` if `receive` reports it first; `RateLimited`.
        """
        loop = asyncio.get_running_loop()
        turns = self._reads if reads else self._acts
        leaving = None if receive is None else asyncio.ensure_future(gone(receive))
        found: Any = None
        error: BaseException | None = None
        try:
            while True:
                if aside:
                    await turns.take(who)
                    try:
                        step = await loop.run_in_executor(None, _in_thread, steps, found, error)
                    finally:
                        turns.give(who)
                    if isinstance(step, Carried):
                        return step
                else:
                    step = steps.send(found) if error is None else steps.throw(error)
                found = error = None
                aside = step is ASIDE
                if isinstance(step, Pause):
                    future, ready = step.future, loop.create_future()
                    future.add_done_callback(partial(self._wake, loop, ready))
                    if step.seconds is None:
                        self._paused += 1
                        try:
                            await ready
                        finally:
                            self._paused -= 1
                    else:
                        await _first(ready, leaving, step.seconds)
                    if future.done():
                        error = future.exception()
                        found = None if error is not None else future.result()
                elif isinstance(step, Together):
                    try:
                        found = outcome(await self._together(loop, step))
                    except Exception as raised:  # noqa: BLE001 - whatever went wrong, the use case decides what becomes of it
                        error = raised
        except StopIteration as stop:
            return Carried(stop.value)
        finally:
            if leaving is not None:
                leaving.cancel()
            # A thread may still be running when this is cancelled; it then stops at its next pause.
            with suppress(ValueError):
                steps.close()

    def _together(self, loop: asyncio.AbstractEventLoop, step: Together) -> "asyncio.Future[Any]":
        """Run a step together with all others of its kind in this turn of the loop."""
        if not self._come:
            # While the engine is busy, it takes up nothing anyway: until it wakes this loop, more arrive.
            self._at_last = (
                loop.call_later(LINGER, self._carry_out)
                if self._paused
                else loop.call_soon(self._carry_out)
            )
        ready = loop.create_future()
        self._come.append((step, ready))
        if len(self._come) >= MOST_TOGETHER:
            self._carry_out()
        return ready

    def _carry_out(self) -> None:
        if self._at_last is not None:
            self._at_last.cancel()
        come, self._come = self._come, []
        kinds: dict[Any, list[tuple[Any, asyncio.Future[Any]]]] = {}
        for step, ready in come:
            if not ready.cancelled():
                kinds.setdefault(step.call, []).append((step.wanted, ready))
        for call, those in kinds.items():
            found = _all(call, [wanted for wanted, _ in those])
            for (_, ready), each in zip(those, found, strict=True):
                ready.set_result(each)

    def _wake(
        self, loop: asyncio.AbstractEventLoop, ready: "asyncio.Future[None]", _: object
    ) -> None:
        """Continue this in the loop. Called in any thread: everything that a commit has settled continues with one wake-up of the loop."""
        self._done.append(ready)
        if not self._woken:
            self._woken = True
            loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        # First, so that later calls wake the loop again.
        self._woken = False
        done = self._done
        while done:
            ready = done.popleft()
            if not ready.done():
                ready.set_result(None)
        if self._come:
            self._carry_out()


async def _first(
    ready: "asyncio.Future[None]", leaving: "asyncio.Future[None] | None", seconds: float
) -> None:
    """Wait for whatever happens first, at most this many seconds. Errors: `HungUp` if the client leaves."""
    wanted = {ready} if leaving is None else {ready, leaving}
    await asyncio.wait(wanted, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if leaving is not None and leaving.done():
        raise HungUp


def _all(call: Callable[[Sequence[Any]], Sequence[Any]], wanted: list[Any]) -> Sequence[Any]:
    """Return the results; if there are none, the error for each."""
    try:
        found = call(wanted)
        assert len(found) == len(wanted), f"{call} returned {len(found)} results for {len(wanted)}"
    except Exception as error:  # noqa: BLE001 - it is raised in each use case
        return [error] * len(wanted)
    else:
        return found


def _in_thread(steps: Steps[T], found: Any, error: BaseException | None) -> Any:
    """Run one step; return it, or the result of the generator once it ends."""
    try:
        return steps.send(found) if error is None else steps.throw(error)
    except StopIteration as stop:
        return Carried(stop.value, encode(stop.value))
