"""What is carried out together: one call for all who are there, and each is given what is for it."""

import asyncio
from typing import Any

import pytest
from tests.unit.api.carrying import (
    LONGEST,
    Gathered,
    in_a_loop,
    pausing,
    together,
    turns,
    views,
    waiting,
)

from tidegate.api import carry as module
from tidegate.api.carry import Carried, Carrier
from tidegate.engine.futures import Future
from tidegate.service.steps import MOST_TOGETHER, Steps, Together


@pytest.fixture
def carrier():
    return Carrier()


@pytest.fixture
def unhurried(monkeypatch):
    """Let what waits for the engine wait as long as that takes, however slow this machine is."""
    monkeypatch.setattr(module, "LINGER", 10 * LONGEST)


class TestTogether:
    @in_a_loop
    async def test_all_that_come_in_one_turn_are_handed_over_in_one_call(self, carrier):
        call = Gathered()
        found = await views([carrier.carry(together(call, n, -n)) for n in range(1, 6)])

        assert found == [[f"for {n}", f"for {-n}"] for n in range(1, 6)]
        assert call.calls == [[1, 2, 3, 4, 5], [-1, -2, -3, -4, -5]]

    @in_a_loop
    async def test_each_kind_is_handed_over_by_itself(self, carrier):
        one, other = Gathered(), Gathered()
        await views([carrier.carry(together((one, other)[n % 2], n)) for n in range(6)])

        assert (one.calls, other.calls) == ([[0, 2, 4]], [[1, 3, 5]])

    @in_a_loop
    async def test_a_call_is_made_for_a_bounded_number(self, carrier):
        call, count = Gathered(), 2 * MOST_TOGETHER + 20
        found = await views([carrier.carry(together(call, n)) for n in range(count)])

        assert found == [[f"for {n}"] for n in range(count)]
        assert [len(each) for each in call.calls] == [MOST_TOGETHER, MOST_TOGETHER, 20]

    @in_a_loop
    async def test_an_exception_for_one_is_raised_only_there(self, carrier):
        def call(wanted: list[int]) -> list[Any]:
            return [KeyError(each) if each % 2 else each for each in wanted]

        def handling(number: int) -> Steps[Any]:
            try:
                return (yield Together(call, number))
            except KeyError as error:
                return f"not {error}"

        calls = [carrier.carry(handling(n)) for n in range(4)]
        assert await views(calls) == [0, "not 1", 2, "not 3"]
        first, second = await asyncio.gather(
            *(carrier.carry(together(call, n)) for n in (1, 2)), return_exceptions=True
        )
        assert isinstance(first, KeyError)
        assert second == Carried([2])

    @in_a_loop
    async def test_an_exception_for_all_is_raised_in_each_and_others_are_not_harmed(self, carrier):
        def call(wanted: list[int]) -> list[Any]:
            raise OSError(f"no disk for {wanted}")

        *wrong, right = await asyncio.gather(
            *(carrier.carry(together(call, n)) for n in (1, 2)),
            carrier.carry(together(Gathered(), 3)),
            return_exceptions=True,
        )
        assert [str(each) for each in wrong] == ["no disk for [1, 2]"] * 2
        assert right == Carried(["for 3"])
        assert await carrier.carry(together(Gathered(), 4)) == Carried(["for 4"])

    @in_a_loop
    async def test_one_that_has_left_is_not_handed_over(self, carrier):
        call = Gathered()
        tasks = [asyncio.create_task(carrier.carry(together(call, n))) for n in range(3)]
        # They begin in this turn, and are handed over at the end of the next.
        await asyncio.sleep(0)
        assert not call.calls
        tasks[1].cancel()
        await asyncio.wait(tasks)

        assert call.calls == [[0, 2]]
        assert [task.cancelled() for task in tasks] == [False, True, False]


class TestWhileTheEngineIsAtIt:
    """What is carried out together waits for the engine's end, as till then it would take nothing up."""

    @in_a_loop
    async def test_what_comes_meanwhile_is_handed_over_together_when_it_has_ended(
        self, carrier, unhurried
    ):
        engine, call = waiting(), Gathered()
        busy = asyncio.create_task(carrier.carry(pausing(engine)))
        await turns()
        tasks = []
        for number in range(3):
            tasks.append(asyncio.create_task(carrier.carry(together(call, number))))
            await turns()
        assert not call.calls
        engine.set_result(1)
        await views([busy, *tasks])

        assert call.calls == [[0, 1, 2]]

    @in_a_loop
    async def test_as_many_as_are_handed_over_at_once_do_not_wait(self, carrier, unhurried):
        engine, call = waiting(), Gathered()
        busy = asyncio.create_task(carrier.carry(pausing(engine)))
        await turns()
        count = MOST_TOGETHER + 1
        tasks = [asyncio.create_task(carrier.carry(together(call, n))) for n in range(count)]
        await turns()
        assert [len(each) for each in call.calls] == [MOST_TOGETHER]
        assert [task.done() for task in tasks] == [True] * MOST_TOGETHER + [False]
        engine.set_result(1)
        await views([busy, *tasks])

        assert [len(each) for each in call.calls] == [MOST_TOGETHER, 1]

    @in_a_loop
    async def test_the_wait_is_short_even_if_the_engine_never_ends(self, carrier):
        busy = asyncio.create_task(carrier.carry(pausing(Future())))
        await turns()

        assert await carrier.carry(together(Gathered(), 1)) == Carried(["for 1"])
        assert not busy.done()
        busy.cancel()

    @pytest.mark.parametrize("how", ["ended", "failed", "cancelled", "timed"])
    @in_a_loop
    async def test_nothing_waits_when_nothing_is_at_the_engine(self, carrier, unhurried, how):
        engine, seconds = waiting(), LONGEST if how == "timed" else None
        busy = asyncio.create_task(carrier.carry(pausing(engine, seconds=seconds)))
        await turns()
        if how == "ended":
            engine.set_result(1)
        elif how == "failed":
            engine.set_exception(ValueError())
        elif how == "cancelled":
            busy.cancel()
        if how != "timed":
            await asyncio.wait({busy})

        assert await carrier.carry(together(Gathered(), 1)) == Carried(["for 1"])
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)
