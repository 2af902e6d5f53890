"""Tasks of an event loop as parts: each is run again, whatever ended it, for as long as the loop serves."""

import asyncio
from collections.abc import Awaitable, Callable

from tidegate.parts import Part


async def supervise(part: Part, run: Callable[[], Awaitable[None]]) -> None:
    """Run something again and again, until the part is stopped or this task is cancelled. To return without that is a failure."""
    while not part.is_stopped:
        part.begins()
        error: Exception | str = "it has ended by itself"
        try:
            await run()
        except Exception as raised:  # noqa: BLE001 - whatever it was, the task must live on
            error = raised
        if not part.is_stopped:
            await asyncio.sleep(part.failed(error))
