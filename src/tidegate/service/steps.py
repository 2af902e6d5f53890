"""
A use case as steps: a generator that yields what it waits for, and returns the view.

So one function serves every door: a thread that may block runs it with `carry_out`, and an event loop awaits the same futures
without a thread. A use case about to do more than a loop has time for yields `ASIDE` first: a loop then continues in a thread of its
pool, and a thread simply continues.
"""

from collections.abc import Callable, Generator, Sequence
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypeVar

from msgspec import Struct

from tidegate.engine.futures import Future

T = TypeVar("T")

MOST_TOGETHER: Final = 50
"""Most steps run together in an event loop, which has a few milliseconds for them."""


class Pause(Struct, frozen=True):
    """Continue when the future is done, with its result; or after this many seconds, with None. Its exception is raised at the `yield`."""

    future: Future[Any]
    seconds: float | None = None


class Together(Struct, frozen=True):
    """
    Work that is cheaper for several callers at once. `call` takes what all current callers want, and returns a result for each; an exception in that list
    is raised at the `yield`. It must be quick, even for `MOST_TOGETHER`.
    """

    call: Callable[[Sequence[Any]], Sequence[Any]]
    wanted: Any


class _Aside(Enum):
    ASIDE = "aside"


ASIDE: Final = _Aside.ASIDE
"""The work up to the next pause or the end takes longer than an event loop has time for."""

Step: TypeAlias = Pause | Together | Literal[_Aside.ASIDE]
Steps: TypeAlias = Generator[Step, Any, T]


def outcome(found: Any) -> Any:
    """Return one result of a combined call, or raise it."""
    if isinstance(found, Exception):
        raise found
    return found


def _is_late(step: Step, error: TimeoutError) -> bool:
    """Whether a timeout is that of the wait: the future may also have failed with a timeout of its own."""
    if not isinstance(step, Pause):
        return False
    return not step.future.done() or step.future.exception() is not error


def carry_out(steps: Steps[T]) -> T:
    """Run all the steps in this thread."""
    try:
        step = next(steps)
        while True:
            if step is ASIDE:
                step = steps.send(None)
                continue
            try:
                if isinstance(step, Together):
                    found = outcome(step.call([step.wanted])[0])
                else:
                    found = step.future.result(step.seconds)
            except TimeoutError as error:
                step = steps.send(None) if _is_late(step, error) else steps.throw(error)
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the use case decides what becomes of it
                step = steps.throw(error)
            else:
                step = steps.send(found)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()
