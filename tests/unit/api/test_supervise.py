"""Tasks of an event loop as parts: whatever ends one, it is run again."""

import asyncio

import pytest

from tidegate import parts as module
from tidegate.api.supervise import supervise
from tidegate.errors import StoreError
from tidegate.parts import Parts

LONGEST = 20.0


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)


@pytest.mark.parametrize("failure", [StoreError("no"), AssertionError("a bug"), None])
def test_a_task_that_fails_or_returns_is_run_again_until_it_is_cancelled(failure):
    part = Parts().part("pump")
    runs: list[bool] = []
    done = asyncio.Event()

    async def run():
        runs.append(part.is_down)
        if len(runs) < 3:
            if failure is not None:
                raise failure
            return
        part.works()
        done.set()
        await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(supervise(part, run))
        async with asyncio.timeout(LONGEST):
            await done.wait()
        assert (part.standing().up, part.standing().restarts) == (True, 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert runs == [False, True, True]


def test_a_part_that_was_stopped_ends_with_its_run():
    part = Parts().part("pump")

    async def run():
        part.stop()

    asyncio.run(asyncio.wait_for(supervise(part, run), LONGEST))
    assert part.standing().up
