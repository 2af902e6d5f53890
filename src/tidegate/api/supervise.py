"""Tasks of an event loop as parts: each is restarted whenever it ends, for as long as the loop runs."""

import asyncio
from collections.abc import Awaitable, Callable

from tidegate.parts import Part


async def supervise(part: Part, run: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function repeatedly, until the part is stopped or this task is cancelled. Returning without that is a failure."""
    while not part.is_stopped:
        part.begins()
        error: Exception | str = "it returned without having been stopped"
        try:
            await run()
        except Exception as raised:  # noqa: BLE001 - whatever it was, the task must live on
            error = raised
        if not part.is_stopped:
            await asyncio.sleep(part.failed(error))
