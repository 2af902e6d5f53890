"""What the tests of `Carrier` share: an event loop for each, and small use cases."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any

from tidegate.engine.futures import Future
from tidegate.service.steps import Pause, Steps, Together

LONGEST = 30.0
"""Seconds after which something that was promised has not happened."""


def in_a_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test in an event loop of its own, and not forever."""

    @wraps(test)
    def run(*args: Any, **named: Any) -> None:
        async def whole() -> None:
            async with asyncio.timeout(LONGEST):
                await test(*args, **named)

        asyncio.run(whole())

    return run


async def turns(count: int = 5) -> None:
    """Let the loop go round a few times."""
    for _ in range(count):
        await asyncio.sleep(0)


def pausing(*futures: Future[Any], seconds: float | None = None) -> Steps[list[Any]]:
    found = []
    for future in futures:
        found += [(yield Pause(future, seconds))]
    return found


def waiting() -> Future[Any]:
    return Future()


def told(result: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


def failed(error: BaseException) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


class Gathered:
    """A call for all who are here now; it keeps what they wanted each time."""

    def __init__(self) -> None:
        self.calls: list[list[Any]] = []

    def __call__(self, wanted: Sequence[Any]) -> list[Any]:
        self.calls.append(list(wanted))
        return [f"for {each}" for each in wanted]


def together(call: Any, *wanted: Any) -> Steps[list[Any]]:
    found = []
    for each in wanted:
        found += [(yield Together(call, each))]
    return found


async def views(tasks: list[Any]) -> list[Any]:
    return [carried.view for carried in await asyncio.gather(*tasks)]
