"""
A use case as steps: a generator that yields what it waits for, and returns the view.

So one function serves every door: a thread that may block carries it out with `carry_out`, and an event loop awaits the same futures
without a thread. A use case that is about to do more than a loop has time for yields `ASIDE` first: a loop goes on in a thread of its
pool, and a thread just goes on.
"""

from collections.abc import Generator
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypeVar

from msgspec import Struct

from tidegate.engine.futures import Future

T = TypeVar("T")


class Pause(Struct, frozen=True):
    """Go on when the future is done, with its result; or after this many seconds, with None. What it raises is raised at the `yield`."""

    future: Future[Any]
    seconds: float | None = None


class _Aside(Enum):
    ASIDE = "aside"


ASIDE: Final = _Aside.ASIDE
"""What comes now, up to the next pause or the end, takes longer than an event loop has time for."""

Step: TypeAlias = Pause | Literal[_Aside.ASIDE]
Steps: TypeAlias = Generator[Step, Any, T]


def carry_out(steps: Steps[T]) -> T:
    """Go through all the steps in this thread."""
    try:
        step = next(steps)
        while True:
            if step is ASIDE:
                step = steps.send(None)
                continue
            try:
                found = step.future.result(step.seconds)
            except TimeoutError as error:
                # A future may also have failed by a timeout of its own.
                step = steps.throw(error) if step.future.done() else steps.send(None)
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the use case decides what becomes of it
                step = steps.throw(error)
            else:
                step = steps.send(found)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()
