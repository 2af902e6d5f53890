"""
Carrying out the service's steps in an event loop: what it waits for is awaited, so whoever waits costs no thread.

Steps that read much go on in a thread of the loop's pool; those that are quick go on in the loop itself, as a hop costs more than they do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from msgspec import Struct

from tidegate.service.steps import Pause, Steps

T = TypeVar("T")


class HungUp(Exception):
    """Whoever asked is not there any more."""


class _Done(Struct, frozen=True):
    view: Any


async def carry(
    steps: Steps[T], gone: Callable[[], Awaitable[None]] | None = None, *, threaded: bool
) -> T:
    """Go through all the steps. Errors: what they raise; `HungUp` if `gone` returns first."""
    leaving = None if gone is None else asyncio.ensure_future(gone())
    try:
        now = await _advance(steps, None, None, threaded=threaded)
        while isinstance(now, Pause):
            found, error = await _pause(now, leaving)
            now = await _advance(steps, found, error, threaded=threaded)
        result: T = now.view
        return result
    finally:
        # A thread may still be at it when this is cancelled; it then comes to its next pause, and to nothing more.
        with suppress(ValueError):
            steps.close()
        if leaving is not None:
            leaving.cancel()


async def _advance(
    steps: Steps[T], found: Any, error: Exception | None, *, threaded: bool
) -> Pause | _Done:
    if threaded:
        return await asyncio.to_thread(_step, steps, found, error)
    return _step(steps, found, error)


def _step(steps: Steps[T], found: Any, error: Exception | None) -> Pause | _Done:
    try:
        return steps.send(found) if error is None else steps.throw(error)
    except StopIteration as stop:
        return _Done(stop.value)


async def _pause(pause: Pause, leaving: "asyncio.Future[None] | None") -> tuple[Any, Any]:
    ready = awaitable(pause.future)
    if pause.seconds is None:
        await ready
    else:
        wanted = {ready} if leaving is None else {ready, leaving}
        await asyncio.wait(wanted, timeout=pause.seconds, return_when=asyncio.FIRST_COMPLETED)
        if leaving is not None and leaving.done():
            raise HungUp
        if not pause.future.done():
            return None, None
    error = pause.future.exception()
    return (pause.future.result(), None) if error is None else (None, error)


def awaitable(future: "Future[Any]") -> "asyncio.Future[None]":
    """
    Return what resolves in this loop when the future is done, however it is done.

    Unlike `asyncio.wrap_future` it does not hand a cancellation on: the engine's futures are not its to cancel.
    """
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def settle() -> None:
        if not ready.done():
            ready.set_result(None)

    future.add_done_callback(lambda _: loop.call_soon_threadsafe(settle))
    return ready
