"""
A use case that must wait on its way: a generator that yields what it waits for, and returns the view.

So one function serves every door: a thread that may block carries it out with `carry_out`, and an event loop awaits the same futures without a thread.
"""

from collections.abc import Generator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedLongEnough
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Pause(Struct, frozen=True):
    """Go on when the future is done, with its result; or after so many seconds, with None. What it raises is raised at the `yield`."""

    future: "Future[Any]"
    seconds: float | None = None


Steps: TypeAlias = Generator[Pause, Any, T]


def carry_out(steps: Steps[T]) -> T:
    """Go through all the steps in this thread."""
    try:
        pause = next(steps)
        while True:
            try:
                found = pause.future.result(pause.seconds)
            except WaitedLongEnough as error:
                # A future may also have failed by a timeout of its own.
                pause = steps.throw(error) if pause.future.done() else steps.send(None)
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the use case decides what becomes of it
                pause = steps.throw(error)
            else:
                pause = steps.send(found)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()
