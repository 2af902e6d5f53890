"""Turns: a few at once in all, fewer of one, and those who wait are served principal by principal."""

import asyncio

import pytest
from tests.unit.api.carrying import in_a_loop, turns

from tidegate.api.turns import Turns
from tidegate.errors import RateLimited


class Crowd:
    """Requests that take a turn, note that they have it, and end when they are told to."""

    def __init__(self, taken):
        self._turns = taken
        self.has = []
        self._tasks = {}
        self._ends = {}

    async def comes(self, *names):
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._acts(name))
            await turns()

    async def _acts(self, name):
        await self._turns.take(name[0])
        self.has.append(name)
        try:
            await self._ends[name].wait()
        finally:
            self.has.remove(name)
            self._turns.give(name[0])

    async def ends(self, name):
        self._ends[name].set()
        await turns()

    async def leaves(self, name):
        self._tasks[name].cancel()
        await turns()


@in_a_loop
async def test_one_at_a_time_of_a_principal_and_two_in_all():
    crowd = Crowd(Turns(in_all=2, of_one=1))

    await crowd.comes("a1", "a2", "b1", "c1")
    assert crowd.has == ["a1", "b1"]
    await crowd.ends("b1")
    assert crowd.has == ["a1", "c1"]
    await crowd.ends("a1")
    assert crowd.has == ["c1", "a2"]


@in_a_loop
async def test_who_asks_for_much_waits_behind_who_asks_for_little():
    crowd = Crowd(Turns(in_all=1, of_one=1))
    await crowd.comes("a1", "a2", "a3", "a4", "b1")

    order = []
    for _ in range(5):
        order += crowd.has
        await crowd.ends(crowd.has[0])

    assert order == ["a1", "a2", "b1", "a3", "a4"]


@in_a_loop
async def test_who_leaves_gives_the_turn_to_the_next_whether_it_had_come_or_not():
    crowd = Crowd(Turns(in_all=1, of_one=1))
    await crowd.comes("a1", "a2", "a3", "b1")

    await crowd.leaves("a2")
    await crowd.leaves("a1")
    assert crowd.has == ["a3"]
    await crowd.leaves("a3")
    await crowd.leaves("b1")
    await crowd.comes("c1")
    assert crowd.has == ["c1"]


@in_a_loop
async def test_of_one_principal_only_this_many_may_wait():
    taken = Turns(in_all=1, of_one=1, most=2)
    crowd = Crowd(taken)
    await crowd.comes("a1", "a2", "a3")

    with pytest.raises(RateLimited, match="reduce its concurrency"):
        await taken.take("a")
    await crowd.comes("b1")
    await crowd.ends("a1")
    assert crowd.has == ["a2"]
